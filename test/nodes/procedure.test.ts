import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import { systemClock } from '../../core/base/clock.ts'
import type { Command, Receipt } from '../../core/messages/command.ts'
import { Dispatcher } from '../../core/orders/dispatch/dispatcher.ts'
import { COMMAND_NAMES } from '../../core/orders/dispatch/job-command.ts'
import { holdUnit, releaseUnit } from '../../core/orders/holds/unit-hold.ts'
import registerMachineCommand from '../../nodes/machine-command/machine-command.ts'
import registerPlant, { type PlantNode } from '../../nodes/plant/plant.ts'
import registerProcedure from '../../nodes/procedure/procedure.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { until } from '../core/connect/support/wait.ts'
import { CHEAP, PASSWORD } from '../core/people/support.ts'
import { helper, loadFlow, nextMessage, type Received } from './support/helper.ts'
import { MILL, machinePlant } from './support/machine-plant.ts'

const JOB = 'jo-1'
const STEPS = [
  { id: 'look', type: 'confirm', text: 'Is the chuck empty?', before: 'start' },
  { id: 'shake', type: 'measure', signal: 'vibration', unit: 'mm/s', upper: 5, before: 'start' },
  { id: 'seen', type: 'sign', meaning: 'verified', role: 'quality' },
]

describe('procedure node', () => {
  let folder: string
  let node: (id: string) => Node

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'takt-test-procedure-'))
    helper.settings({ userDir: folder } as never)
  })
  afterEach(async () => {
    await helper.unload()
    helper.settings({})
    rmSync(folder, { recursive: true, force: true })
  })

  async function load(): Promise<void> {
    node = await loadFlow(
      [registerPlant, registerStore, registerProcedure, registerMachineCommand],
      [
        { id: 'f1', type: 'tab' },
        machinePlant({
          model: JSON.stringify({
            plant: 'acme',
            equipment: [{ id: MILL, level: 'workUnit', commands: [{ name: 'start-job', target: { connection: 'none', topic: 'a' } }] }],
          }),
        }),
        { id: 's1', type: 'takt-store', name: 'S', file: 'takt.db', plant: 'a1' },
        { id: 'n1', z: 'f1', type: 'takt-procedure', name: 'N', store: 's1', plant: 'a1', wires: [['good'], ['bad']] },
        {
          id: 'm1',
          z: 'f1',
          type: 'takt-machine-command',
          name: 'M',
          store: 's1',
          plant: 'a1',
          autonomy: 'auto',
          allowed: '',
          timeout: '1',
          wires: [['receipts'], []],
        },
        ...['good', 'bad', 'receipts'].map((id) => ({ id, z: 'f1', type: 'helper' })),
      ],
    )
  }
  const store = () => (node('s1') as StoreNode).store
  const ask = (topic: string, payload: unknown, port: 'good' | 'bad' = 'good', more: Record<string, unknown> = {}): Promise<Received> => {
    const next = nextMessage(node(port))
    node('n1').receive({ topic: `procedures/${topic}`, payload, ...more } as never)
    return next
  }
  const step = (payload: Record<string, unknown>, port: 'good' | 'bad' = 'good') => ask('step', { jobOrder: JOB, by: 'Olga', ...payload }, port)
  const sample = (value: number, unit = 'mm/s') =>
    node('n1').receive({
      payload: { kind: 'sample', equipment: MILL, signal: 'vibration', value, unit, quality: 'good', time: Date.now(), received: Date.now() },
    } as never)

  async function prepared(): Promise<void> {
    await load()
    await store().transaction(async (tx) => {
      await tx.save<'lot'>(
        { kind: 'lot', id: 'lot-1', material: 'm', quantity: { value: 0, unit: 'pcs' }, disposition: 'in-process', location: null, workOrder: null },
        { type: 'lot.created', actor: 'test' },
      )
      const now = tx.now
      await tx.save<'job-order'>(
        {
          kind: 'job-order',
          id: JOB,
          workOrder: 'wo-1',
          operation: '10',
          sequence: 0,
          after: [],
          state: 'NotAllowedToStart',
          substate: 'Ready',
          equipment: MILL,
          alternatives: [{ equipment: MILL, setupMs: 0, perPieceMs: 1000 }],
          quantity: { value: 5, unit: 'pcs' },
          good: 0,
          scrap: 0,
          lot: 'lot-1',
          plannedStart: now,
          plannedEnd: now + 5000,
          actualStart: null,
          actualEnd: null,
          planVersion: 1,
          pinned: false,
          procedure: 'mill',
        },
        { type: 'job-order.created', actor: 'test' },
      )
    })
    await ask('propose', { procedure: 'mill', why: 'first', by: 'Eva', steps: STEPS })
    const { payload } = await ask('difference', { procedure: 'mill@1' })
    await ask('approve', { procedure: 'mill@1', sha256: payload.sha256, by: 'Sven', why: 'good' })
    await ask('begin', { jobOrder: JOB, by: 'Olga' })
  }

  it('shows the present step, passes on what else a message has, and refuses on its second output', async () => {
    await prepared()
    const { payload, shown, batch, topic } = await ask('show', { equipment: MILL }, 'good', { batch: 7 })
    assert.deepEqual([topic, payload.step, payload.by, (shown as any).position, batch], [`procedures/runs/${JOB}`, 'look', 'Olga', { at: 1, of: 3 }, 7])
    const refused = await step({ step: 'shake', value: 1 }, 'bad')
    assert.deepEqual([refused.topic, refused.payload.code, refused.jobOrder], ['procedures/refused', 'TAKT_PROCEDURE_STEP_ORDER', JOB])
    for (const [topic, bad] of [
      ['step', null],
      ['step', 'x'],
      ['step', 7],
      ['step', []],
      ['step', { jobOrder: {}, step: 'look' }],
      ['begin', { jobOrder: 'a\0' }],
      ['propose', {}],
      ['approve', { procedure: 'mill@7', why: 'x', by: 'x' }],
    ] as const) {
      const { payload } = await ask(topic, bad, 'bad')
      assert.match(payload.code, /^TAKT_(MESSAGE_INVALID|PROCEDURE_INVALID|PROCEDURE_UNKNOWN)$/, JSON.stringify(bad))
    }
    assert.equal((await ask('list', {})).payload.length, 1)
  })

  it('lets dispatch and machine command start a job order only when the steps before it are done', async () => {
    await prepared()
    const told: Command[] = []
    const plant = node('a1') as PlantNode
    const dispatcher = new Dispatcher(
      {
        store: store(),
        plant: () => plant.plant(),
        clock: plant.clock,
        real: systemClock,
        command: (command) => void told.push(command),
        problem: () => {},
        waiting: () => {},
      },
      { autonomy: 'auto', toleranceMs: 60_000, ackTimeoutMs: 5000, commands: COMMAND_NAMES, actor: 'node:d1' },
    )
    try {
      const command = { kind: 'command', id: 'c1', to: MILL, name: 'start-job', arguments: { jobOrder: JOB } }
      const start = async (id: string): Promise<Receipt> => {
        const next = nextMessage(node('receipts'))
        node('m1').receive({ payload: { ...command, id } } as never)
        return (await next).payload
      }
      dispatcher.machineState({ equipment: MILL, state: 'Idle', mode: 'Produce', jobOrder: null, since: 1 })
      await dispatcher.idle()
      assert.equal(told.length, 0)
      assert.equal((await start('c1')).code, 'TAKT_PROCEDURE_OPEN')
      const hold = { equipment: MILL, why: 'no light', by: 'Sven' }
      await store().transaction((tx) => holdUnit(tx, plant.plant(), hold))
      assert.deepEqual([(await start('held')).code], ['TAKT_UNIT_HELD'])
      await store().transaction((tx) => releaseUnit(tx, plant.plant(), hold))
      await assert.rejects(dispatcher.start(JOB, 'Sven'), { code: 'TAKT_PROCEDURE_OPEN' })
      await step({ step: 'look', confirm: true })
      // the wrong unit, too much, and then what the step waits for
      const wrong = nextMessage(node('bad'))
      sample(3, 'inch')
      assert.equal((await wrong).payload.code, 'TAKT_PROCEDURE_UNIT')
      const outside = nextMessage(node('bad'))
      sample(7)
      assert.equal((await outside).payload.code, 'TAKT_PROCEDURE_OUTSIDE')
      sample(8)
      const done = nextMessage(node('good'), ({ payload }) => payload.step === 'seen')
      sample(3)
      assert.deepEqual((await done).payload.done.at(-1), {
        step: 'shake',
        type: 'measure',
        by: 'node:n1',
        time: (await done).payload.done.at(-1).time,
        value: 3,
        unit: 'mm/s',
        upper: 5,
        source: `${MILL}/vibration`,
      })
      await until(() => told.length === 1, 'the mill is told')
      assert.deepEqual(
        told.map(({ name, arguments: { jobOrder } }) => [name, jobOrder]),
        [['start-job', JOB]],
      )
      assert.notEqual((await start('c2')).code, 'TAKT_PROCEDURE_OPEN')
    } finally {
      dispatcher.stop()
    }
  })

  it('takes a signature of the role for the run as it stands, once, and forgets the password', async () => {
    await prepared()
    const { people } = (node('s1') as StoreNode).known
    Object.assign(people.settings, { cost: CHEAP })
    await people.firstAdministrator({ id: 'admin', name: 'Ada', password: PASSWORD })
    for (const [id, role] of [
      ['eva', 'quality'],
      ['sven', 'supervisor'],
    ] as const) {
      await people.add({ id, name: id, roles: [role], password: 'first-time-only-9' }, 'person:admin', 'new')
      await people.changePassword(id, 'first-time-only-9', PASSWORD)
    }
    await step({ step: 'look', confirm: true })
    const shaken = nextMessage(node('good'))
    sample(1)
    await shaken
    const sign = (person: string, password: string, port: 'good' | 'bad') => step({ step: 'seen', person, password }, port)
    assert.equal((await sign('eva', PASSWORD, 'bad')).payload.code, 'TAKT_PROCEDURE_NOT_STARTED')
    await store().transaction(async (tx) => {
      const job = (await tx.get('job-order', JOB))!
      await tx.save<'job-order'>({ ...job, state: 'Running', substate: null, actualStart: tx.now }, { type: 'job-order.running', actor: 'test' })
    })
    assert.equal((await sign('eva', 'not this one at all', 'bad')).payload.code, 'TAKT_PERSON_REFUSED')
    assert.equal((await sign('sven', PASSWORD, 'bad')).payload.code, 'TAKT_PROCEDURE_UNSIGNED', 'he may verify, but is not of quality')
    // signed before the step was asked for: found nevertheless
    const { payload } = await sign('eva', PASSWORD, 'good')
    const [signature] = await store().list('signature', { where: { record_kind: 'procedure-run', person: 'eva' } })
    assert.deepEqual([payload.phase, payload.done.at(-1).by, payload.done.at(-1).signature], ['done', 'person:eva', signature?.id])
    assert.equal((await sign('eva', PASSWORD, 'bad')).payload.code, 'TAKT_PROCEDURE_STEP_ORDER')
    const ledger = JSON.stringify(await store().events(0, 1000))
    assert.ok(!ledger.includes(PASSWORD))
  })

  it('asks for people who may, where the store says that they must be known', async () => {
    await prepared()
    const { people } = (node('s1') as StoreNode).known
    Object.assign(people.settings, { required: true })
    assert.equal((await step({ step: 'look', confirm: true }, 'bad')).payload.code, 'TAKT_PERSON_NOT_SIGNED_IN')
    assert.equal((await ask('propose', { procedure: 'x', why: 'y', by: 'Eva', steps: STEPS }, 'bad')).payload.code, 'TAKT_PERSON_NOT_SIGNED_IN')
  })

  it('proposes what the plant model brings along, and again when its file changes; in force it is not', async () => {
    const file = join(folder, 'plant.json')
    const write = (text: string) =>
      writeFileSync(file, JSON.stringify({ plant: 'acme', equipment: [{ id: MILL, level: 'workUnit' }], procedures: [{ id: 'clean', steps: [{ id: 'a', type: 'confirm', text }] }] })) // biome-ignore format: one line
    write('Clean?')
    node = await loadFlow(
      [registerPlant, registerStore, registerProcedure],
      [
        { id: 'f1', type: 'tab' },
        { id: 'a1', type: 'takt-plant', name: 'P', source: 'file', file, clock: 'system' },
        { id: 's1', type: 'takt-store', name: 'S', file: ':memory:', plant: 'a1' },
        { id: 'n1', z: 'f1', type: 'takt-procedure', name: 'N', store: 's1', plant: 'a1', wires: [['good'], ['bad']] },
        ...['good', 'bad'].map((id) => ({ id, z: 'f1', type: 'helper' })),
      ],
    )
    await until(async () => (await store().list('procedure')).length === 1, 'the first version')
    const changed = nextMessage(node('good'), ({ topic }) => topic === 'procedures/clean@2')
    write('Cleaned and dry?')
    assert.deepEqual([(await changed).payload.state, (await changed).payload.steps[0].text], ['draft', 'Cleaned and dry?'])
    assert.deepEqual((await store().list('procedure', { orderBy: 'version' })).map(({ id, state }) => [id, state]), [['clean@1', 'draft'], ['clean@2', 'draft']]) // biome-ignore format: one line
  })

  it('finds everything as it was after a restart', async () => {
    await prepared()
    await step({ step: 'look', confirm: true })
    await helper.unload()
    await load()
    const { payload } = await ask('show', { jobOrder: JOB })
    assert.deepEqual([payload.step, payload.done.length], ['shake', 1])
    const done = nextMessage(node('good'))
    sample(2)
    assert.equal((await done).payload.step, 'seen')
  })
})
