import assert from 'node:assert/strict'
import type { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import type { TaktError } from '../../core/base/error.ts'
import { createWorkOrder } from '../../core/orders/create-work-order.ts'
import { releaseWorkOrder } from '../../core/orders/release-work-order.ts'
import { checkPlant } from '../../core/plant/check-plant.ts'
import type { Store } from '../../core/store/store.ts'
import registerDisruption from '../../nodes/disruption/disruption.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { PLANT } from '../core/orders/fixture.ts'
import { collect, helper, loadFlow, nextMessage } from './support/helper.ts'

describe('disruption node', () => {
  let node: Node
  let requests: Node
  let proposals: Node
  let store: Store
  let folder: string

  async function load(config: Record<string, unknown> = {}, model: object = PLANT): Promise<void> {
    const get = await loadFlow(
      [registerPlant, registerStore, registerDisruption],
      [
        { id: 'f1', type: 'tab' },
        {
          id: 'p1',
          type: 'takt-plant',
          source: 'inline',
          model: JSON.stringify(model),
          clock: 'system',
        },
        {
          id: 's1',
          type: 'takt-store',
          file: join(folder, 'takt.db'),
          plant: 'p1',
        },
        {
          id: 'n1',
          z: 'f1',
          type: 'takt-disruption',
          plant: 'p1',
          store: 's1',
          autonomy: 'approve',
          minSeverity: 'medium',
          minScore: 0.5,
          persistMs: '0',
          deadlineMs: { high: 3_600_000 },
          falseAlarmBudget: 3,
          cooldownMs: 0,
          wires: [['requests'], ['proposals']],
          ...config,
        },
        { id: 'requests', z: 'f1', type: 'helper' },
        { id: 'proposals', z: 'f1', type: 'helper' },
      ],
    )
    node = get('n1')
    requests = get('requests')
    proposals = get('proposals')
    store = (get('s1') as StoreNode).store
  }

  const send = (payload: unknown, topic?: string): void =>
    node.receive({
      payload,
      ...(topic === undefined ? {} : { topic }),
    } as never)
  const anomaly = (more: Record<string, unknown> = {}) => ({
    kind: 'anomaly',
    id: 'an-1',
    equipment: 'p/mill-1',
    signals: ['vibration'],
    state: 'raised',
    method: 'auto',
    score: 0.97,
    severity: 'high',
    since: Date.now() - 60_000,
    time: Date.now(),
    evidence: [{ source: 'range', value: 5.9, lower: 2.2, upper: 4 }],
    ...more,
  })
  const nextError = (): Promise<TaktError> =>
    new Promise((resolve) => (node as unknown as EventEmitter).once('call:error', (call: { args: [TaktError] }) => resolve(call.args[0])))

  before((done) => void helper.startServer(done))
  after((done) => void helper.stopServer(done))
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-disruption-'))
  })
  afterEach(async () => {
    await helper.unload()
    rmSync(folder, { recursive: true })
  })

  it('proposes on its second port, and acts on the first when a person accepts', async () => {
    await load()
    const proposed = nextMessage(proposals)
    send(anomaly())
    const { topic, payload } = await proposed
    assert.equal(topic, 'p/mill-1/disruption')
    assert.equal(payload.status, 'proposed')
    assert.match(payload.why, /vibration of mill-1 is 5.9 against 2.2–4 expected, for 1 min/)
    const acted = nextMessage(requests)
    send({ disruption: payload.id, decision: 'accept', by: 'Anna' }, 'answer')
    const request = (await acted).payload
    assert.deepEqual([request.status, request.decidedBy, request.maintenanceOrder], ['acted', 'Anna', 'mo-mill-1-1'])
    assert.equal((await store.get('work-order', 'mo-mill-1-1'))?.state, 'Released')
  })

  it('takes a word on tools that are away, and that they are back', async () => {
    await load({}, { ...PLANT, tools: [{ id: 'fixture-7', name: 'Fixture 7', count: 2 }] })
    const gone = nextMessage(requests)
    send({ resource: 'fixture-7', by: 'Anna', why: 'at the grinder' }, 'away')
    const { topic, payload } = await gone
    assert.deepEqual(
      [topic, payload.status, payload.resource, payload.cause, payload.why],
      ['p/disruption', 'acted', { id: 'fixture-7', count: 1 }, { person: 'Anna' }, '1 of Fixture 7 away: at the grinder'],
    )
    const back = nextMessage(requests)
    send({ resource: 'fixture-7', by: 'Ben' }, 'back')
    assert.deepEqual([(await back).payload.status, (await store.get('disruption', payload.id))?.decidedBy], ['withdrawn', 'Ben'])
    const refused = nextMessage(proposals)
    send({ resource: 'fixture-8' }, 'away')
    assert.equal((await refused).payload.code, 'TAKT_RESOURCE_UNKNOWN')
  })

  it('takes late material', async () => {
    await load()
    const because = { actor: 'test' }
    const plant = checkPlant(PLANT, 'test')
    await store.transaction(async (tx) => {
      await createWorkOrder(tx, plant, { id: 'wo-1', product: 'shaft', quantity: 2 }, because)
      await releaseWorkOrder(tx, plant, 'wo-1', because)
    })
    const set = new Promise((resolve) => store.subscribe((event) => event.type === 'work-order.updated' && resolve(event.why)))
    send({ workOrder: 'wo-1', at: 4_000_000, by: 'Anna', why: 'truck is late' }, 'material')
    assert.equal(await set, 'Anna: truck is late')
    assert.equal((await store.get('job-order', 'jo-wo-1-10-saw'))?.materialAt, 4_000_000)
    const refused = nextMessage(proposals)
    send({ workOrder: 'wo-9', at: 4_000_000 }, 'material')
    assert.equal((await refused).payload.code, 'TAKT_ORDER_UNKNOWN')
  })

  it('takes a refusal, and says what it cannot take', async () => {
    await load()
    const proposed = nextMessage(proposals)
    send(anomaly())
    const { id } = (await proposed).payload
    const refused = nextMessage(requests)
    send(id, 'refuse')
    assert.equal((await refused).payload.status, 'refused')
    for (const [payload, topic, code] of [
      [id, 'accept', 'TAKT_DISRUPTION_DECIDED'],
      ['dis-0', 'accept', 'TAKT_DISRUPTION_UNKNOWN'],
    ] as const) {
      const answer = nextMessage(proposals)
      send(payload, topic)
      assert.equal((await answer).payload.code, code)
    }
    for (const [payload, topic] of [
      [42, 'accept'],
      ['full', 'autonomy'],
      ['hello', 'world'],
      [{ kind: 'anomaly', id: 'an-1' }, undefined],
      [{ ...anomaly(), score: 7 }, undefined],
    ] as const) {
      const both = Promise.all([nextMessage(proposals), nextError()])
      send(payload, topic)
      const [answer, error] = await both
      assert.equal(answer.payload.code, 'TAKT_MESSAGE_INVALID')
      assert.equal(error.code, 'TAKT_MESSAGE_INVALID')
    }
  })

  it('keeps the autonomy that a person has set, and shows its proposals again, through a restart', async () => {
    await load()
    const proposed = nextMessage(proposals)
    send(anomaly())
    const { id } = (await proposed).payload
    send('auto', 'autonomy')
    const acted = nextMessage(requests)
    send(anomaly({ id: 'an-2', equipment: 'p/saw' }))
    assert.equal((await acted).payload.status, 'acted')
    await helper.unload()

    await load()
    const again = nextMessage(proposals)
    assert.equal((await again).payload.id, id)
    const still = nextMessage(requests)
    send(anomaly({ id: 'an-3', equipment: 'p/mill-2' }))
    assert.equal((await still).payload.status, 'acted')
    await helper.unload()

    await load({ autonomy: 'shadow' })
    const all = [...collect(requests), ...collect(proposals)]
    send({
      kind: 'machine-state',
      equipment: 'p/mill-1',
      state: 'Aborted',
      mode: 'Produce',
      since: Date.now(),
      element: null,
      reason: null,
      jobOrder: null,
      time: 1,
    })
    send({ kind: 'count', equipment: 'p/mill-1' })
    await new Promise((later) => setTimeout(later, 50))
    assert.deepEqual(all, [])
  })

  it('does not start with settings that make no sense', async () => {
    await load({ minScore: 'high' })
    const error = nextError()
    send(anomaly())
    assert.equal((await error).code, 'TAKT_CONFIG_INVALID')
    await helper.unload()
    await load({ autonomy: 'sometimes' })
    const other = nextError()
    send(anomaly())
    assert.equal((await other).code, 'TAKT_CONFIG_INVALID')
  })
})
