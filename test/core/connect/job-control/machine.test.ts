import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AnchoredClock } from '../../../../core/base/clock.ts'
import { OpcuaCommandWire } from '../../../../core/connect/command-wire.ts'
import { ReceiverClient } from '../../../../core/connect/job-control/receiver-client.ts'
import { OpcuaConnection } from '../../../../core/connect/opcua-connection.ts'
import type { Command } from '../../../../core/messages/command.ts'
import { checkPlant } from '../../../../core/plant/check-plant.ts'
import type { PlantModel } from '../../../../core/plant/model.ts'
import { type SimulatedPlant, startSimulatedPlant } from '../../../../core/simulate/simulated-plant.ts'
import { LINE, OPTIONS, referencePlant, START } from '../../simulate/support/line.ts'
import { until } from '../support/wait.ts'

const UNIT = `${LINE}/lathe-1`
const RECEIVER = 'ns=1;s=Lathe1.JobOrderControl'
const TARGET = { connection: 'line-1-opcua', jobReceiver: RECEIVER }

/** The reference plant, with a lathe that takes job orders instead of commands of its own. */
const plant = checkPlant(
  {
    ...referencePlant.model,
    equipment: referencePlant.model.equipment.map((unit) =>
      unit.id === UNIT
        ? {
            ...unit,
            commands: ['start-job', 'stop', 'abort', 'cancel', 'store-job', 'allow', 'revoke', 'clear', 'pause'].map((name) => ({ name, target: TARGET })),
          }
        : unit,
    ),
  } as PlantModel,
  'test',
)

describe('job orders to a machine over OPC UA', function () {
  this.timeout(180_000)
  const folder = mkdtempSync(join(tmpdir(), 'takt-machine-'))
  let machine: SimulatedPlant
  let connection: OpcuaConnection
  let wire: OpcuaCommandWire
  const user = { linkChanged: (): void => {} }
  // an hour of plant time in 18 s
  const clock = new AnchoredClock({ plant: START, real: Date.now(), rate: 200 })

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

  const send = (name: string, jobOrder: string, more: Command['arguments'] = {}, id = `cmd-${jobOrder}-${name}`) =>
    wire.send({ kind: 'command', id, to: UNIT, name, arguments: { jobOrder, ...more } }, TARGET)
  const job = { lot: 'lot-1', quantity: 4, setupMs: 0, perPieceMs: 60_000, product: 'shaft-a', operation: '20-turn', family: 'shaft' }
  const client = (): Promise<ReceiverClient> =>
    new Promise((resolve, reject) => {
      const forget = connection.onSession((session, opcua) => ReceiverClient.open(session, opcua, RECEIVER, 15_000, 'test').then(resolve, reject))
      forget()
    })
  const stateOf = async (receiver: ReceiverClient, id: string): Promise<string | undefined> => (await receiver.jobs())?.find((entry) => entry.id === id)?.state

  it('hands over a job order, which runs, ends, and is answered for', async () => {
    assert.deepEqual(await send('start-job', 'jo-1', job), { status: 'done' })
    const receiver = await client()
    const seen = new Set<string>()
    await until(async () => {
      seen.add((await stateOf(receiver, 'jo-1')) ?? 'gone')
      return seen.has('Ended')
    }, 'it ends')
    assert.ok(seen.has('Running'), [...seen].join(', '))
    const response = await receiver.response('jo-1')
    const data = Object.fromEntries((response?.data ?? []).map(({ id, value }) => [id, value]))
    assert.equal(Number(data.Good) + Number(data.Scrap), 4)
    assert.ok((response?.end ?? 0) > (response?.start ?? Number.POSITIVE_INFINITY))
  })

  it('told again, it is done once; told after its end, it is refused', async () => {
    assert.deepEqual(await send('start-job', 'jo-2', { ...job, quantity: 600 }, 'cmd-2-0'), { status: 'done' })
    assert.deepEqual(await send('start-job', 'jo-2', { ...job, quantity: 600 }, 'cmd-2-1'), { status: 'done' })
    const receiver = await client()
    assert.equal((await receiver.jobs())?.filter(({ id }) => id === 'jo-2').length, 1)
    await until(async () => (await stateOf(receiver, 'jo-2')) === 'Running', 'it runs')
    assert.deepEqual(await send('start-job', 'jo-2', job, 'cmd-2-2'), { status: 'done' }, 'it runs already')
    assert.equal(await stateOf(receiver, 'jo-1'), undefined, 'the one before was taken off the list')
    assert.deepEqual(await send('stop', 'jo-2'), { status: 'done' })
    assert.equal(await stateOf(receiver, 'jo-2'), 'Ended')
    const late = await send('start-job', 'jo-2', job, 'cmd-2-3')
    assert.deepEqual([late.status, late.code], ['refused', 'TAKT_JOB_CONTROL_REFUSED'])
    assert.match(late.reason ?? '', /Ended/)
  })

  it('stores, allows, revokes, cancels; what has not begun is taken back by a stop', async () => {
    const receiver = await client()
    assert.deepEqual(await send('store-job', 'jo-3', job), { status: 'done' })
    assert.equal(await stateOf(receiver, 'jo-3'), 'NotAllowedToStart')
    assert.deepEqual(await send('stop', 'jo-3'), { status: 'done' })
    assert.equal(await stateOf(receiver, 'jo-3'), undefined)
    assert.deepEqual(await send('store-job', 'jo-4', { ...job, quantity: 30 }), { status: 'done' })
    assert.deepEqual(await send('cancel', 'jo-4'), { status: 'done' })
    assert.deepEqual(await send('cancel', 'jo-4'), { status: 'done' }, 'it is gone already')
  })

  it('passes a refusal on in words', async () => {
    const unknown = await send('abort', 'nobody')
    assert.deepEqual([unknown.status, unknown.code], ['refused', 'TAKT_JOB_CONTROL_REFUSED'])
    assert.equal(unknown.reason, 'the job order id is not known')
  })

  it('says what cannot be: a method that is not offered, a name that is none, no job order, a node that is no receiver', async () => {
    await assert.rejects(send('pause', 'jo-9'), { code: 'TAKT_JOB_CONTROL_UNSUPPORTED' })
    await assert.rejects(send('reset', 'jo-9'), { code: 'TAKT_JOB_CONTROL_UNSUPPORTED' })
    await assert.rejects(wire.send({ kind: 'command', id: 'c', to: UNIT, name: 'stop', arguments: {} }, TARGET), { code: 'TAKT_JOB_CONTROL_INVALID' })
    const at = (jobReceiver: string) =>
      wire.send({ kind: 'command', id: 'c', to: UNIT, name: 'stop', arguments: { jobOrder: 'a' } }, { ...TARGET, jobReceiver })
    await assert.rejects(at('ns=1;s=Lathe1.Status'), { code: 'TAKT_JOB_CONTROL_UNSUPPORTED' })
    await assert.rejects(at('ns=1;s=Nowhere'), { code: 'TAKT_JOB_CONTROL_UNSUPPORTED' })
    await assert.rejects(at('not a node id'), { code: 'TAKT_OPCUA_NODE_UNKNOWN' })
  })
})
