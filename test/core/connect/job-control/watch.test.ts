import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AnchoredClock } from '../../../../core/base/clock.ts'
import { OpcuaCommandWire } from '../../../../core/connect/command-wire.ts'
import { JobOrderWatch, watchedReceivers } from '../../../../core/connect/job-control/job-watch.ts'
import { OpcuaConnection } from '../../../../core/connect/opcua-connection.ts'
import type { JobResponse } from '../../../../core/messages/job-response.ts'
import type { Sample } from '../../../../core/messages/sample.ts'
import { checkPlant } from '../../../../core/plant/check-plant.ts'
import type { PlantModel, SignalRole } from '../../../../core/plant/model.ts'
import { type SimulatedPlant, startSimulatedPlant } from '../../../../core/simulate/simulated-plant.ts'
import { LINE, OPTIONS, referencePlant, START } from '../../simulate/support/line.ts'
import { until } from '../support/wait.ts'

const UNIT = `${LINE}/lathe-1`
const CONNECTION = 'line-1-opcua'
const TARGET = { connection: CONNECTION, jobReceiver: 'ns=1;s=Lathe1.JobOrderControl' }
const ROLES: readonly SignalRole[] = ['job-order', 'good-count', 'scrap-count', 'packml-state']

const model = {
  ...referencePlant.model,
  equipment: referencePlant.model.equipment.map((unit) =>
    unit.id === UNIT
      ? {
          ...unit,
          signals: ROLES.map((role) => ({ name: role, role, source: TARGET })),
          commands: ['start-job', 'stop'].map((name) => ({ name, target: TARGET })),
        }
      : unit,
  ),
} as PlantModel
const plant = checkPlant(model, 'test')

describe('a machine that tells only of its job orders', function () {
  this.timeout(180_000)
  const folder = mkdtempSync(join(tmpdir(), 'takt-watch-'))
  const clock = new AnchoredClock({ plant: START, real: Date.now(), rate: 100 })
  const user = { linkChanged: (): void => {} }
  const samples: Sample[] = []
  const responses: JobResponse[] = []
  const problems: string[] = []
  let kept: unknown
  let machine: SimulatedPlant
  let connection: OpcuaConnection
  let wire: OpcuaCommandWire

  before(async () => {
    machine = await startSimulatedPlant({
      simulation: { ...OPTIONS, plant },
      clock,
      stateFile: join(folder, 'state.json'),
      ledgerFile: join(folder, 'ledger.jsonl'),
      opcua: { port: 0, pkiFolder: join(folder, 'pki') },
    })
    connection = new OpcuaConnection({
      url: machine.opcuaUrl,
      securityMode: 'None',
      securityPolicy: 'None',
      acceptServerCertificate: true,
      pkiFolder: join(folder, 'client'),
      where: 'test',
    })
    connection.register(user)
    wire = new OpcuaCommandWire(connection, { timeoutMs: 15_000, now: () => clock.now(), where: 'test' })
  })
  after(async () => {
    wire.close()
    await connection.deregister(user)
    await machine.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const watch = (): JobOrderWatch =>
    new JobOrderWatch(
      connection,
      watchedReceivers(plant, CONNECTION),
      { clock, where: 'test', source: CONNECTION, memory: { load: async () => kept, save: async (state) => void (kept = structuredClone(state)) } },
      { sample: (sample) => samples.push(sample), response: (response) => responses.push(response), problem: ({ code }) => problems.push(code) },
    )
  const start = (jobOrder: string, quantity: number) =>
    wire.send(
      {
        kind: 'command',
        id: `cmd-${jobOrder}-0`,
        to: UNIT,
        name: 'start-job',
        arguments: { jobOrder, lot: 'lot', quantity, setupMs: 0, perPieceMs: 30_000, product: 'shaft-a', operation: '20-turn', family: 'shaft' },
      },
      TARGET,
    )
  const said = (role: SignalRole): readonly unknown[] => samples.filter(({ signal }) => signal === role).map(({ value }) => value)
  /** What counters that start again at zero come to. */
  const total = (role: SignalRole): number =>
    (said(role) as number[]).reduce((sum, value, at, all) => sum + (value < (all[at - 1] ?? 0) ? value : value - (all[at - 1] ?? 0)), 0)

  it('says what it is at, what it makes, and its state, through two job orders', async () => {
    const watching = watch()
    assert.deepEqual(await start('jo-1', 5), { status: 'done' })
    await until(() => responses.length === 1, 'the first ends', 60_000)
    assert.deepEqual(await start('jo-2', 3), { status: 'done' })
    await until(() => responses.length === 2, 'the second ends', 60_000)
    assert.deepEqual(
      said('job-order').filter((value) => value !== ''),
      ['jo-1', 'jo-2'],
    )
    assert.equal(total('good-count') + total('scrap-count'), 8, 'every part once')
    assert.equal(samples.at(-1)?.signal, 'packml-state', 'the state that ends a job order comes after its last count')
    assert.equal(said('packml-state').at(-1), 'Complete')
    const [first] = responses
    assert.deepEqual([first?.jobOrder, first?.equipment, first?.state, (first?.good ?? 0) + (first?.scrap ?? 0)], ['jo-1', UNIT, 'Completed', 5])
    assert.deepEqual(problems, [])
    watching.close()
  })

  it('after a restart counts on: what ended meanwhile is told first, and nothing twice', async () => {
    let watching = watch()
    assert.deepEqual(await start('jo-3', 40), { status: 'done' })
    await until(() => said('job-order').at(-1) === 'jo-3' && Number(said('good-count').at(-1)) >= 2, 'it makes parts', 60_000)
    watching.close()
    const before = samples.length
    await until(
      () => machine.runner.present().some((status) => status.kind === 'status' && status.unit === UNIT && status.state === 'Complete'),
      'it ends unwatched',
      60_000,
    )
    watching = watch()
    await until(() => responses.some(({ jobOrder }) => jobOrder === 'jo-3'), 'its end is told', 60_000)
    watching.close()
    assert.equal(said('good-count').length > 0 && samples.length > before, true)
    assert.equal(total('good-count') + total('scrap-count'), 48)
  })

  it('a receiver that is not there is told of once', async () => {
    const wrong = checkPlant(
      {
        ...model,
        equipment: model.equipment.map((unit) =>
          unit.id === UNIT
            ? { ...unit, signals: [{ name: 'job', role: 'job-order', source: { connection: CONNECTION, jobReceiver: 'ns=1;s=Nowhere' } }] }
            : unit,
        ),
      } as PlantModel,
      'test',
    )
    const told: string[] = []
    const watching = new JobOrderWatch(
      connection,
      watchedReceivers(wrong, CONNECTION),
      { clock, where: 'test', source: CONNECTION },
      { sample: () => {}, response: () => {}, problem: ({ code }) => told.push(code) },
    )
    await until(() => told.length > 0, 'it is told')
    await new Promise((resolve) => setTimeout(resolve, 1500))
    watching.close()
    assert.deepEqual(told, ['TAKT_JOB_CONTROL_UNSUPPORTED'])
  })
})
