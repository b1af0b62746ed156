import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ManualClock } from '../../../core/base/clock.ts'
import { Bindings } from '../../../core/simulate/bindings.ts'
import type { GaugePublication, Publication, StatusPublication } from '../../../core/simulate/happenings.ts'
import { readLedger, SimulationLedger, totalsOf } from '../../../core/simulate/ledger.ts'
import { type Face, loadRun, SimulationRunner } from '../../../core/simulate/runner.ts'
import { HOUR, LINE, MINUTE, OPTIONS, referencePlant, START } from './support/line.ts'

class RecordingFace implements Face {
  readonly said: Publication[] = []
  readonly owed: GaugePublication[] = []

  publish(publications: readonly Publication[]): void {
    this.said.push(...publications)
    for (const publication of publications) if (publication.kind === 'gauge') this.owed.push(publication)
  }

  pending(): readonly GaugePublication[] {
    return this.owed
  }

  async close(): Promise<void> {}

  statuses(unit: string): StatusPublication[] {
    return this.said.filter((publication): publication is StatusPublication => publication.kind === 'status' && publication.unit === `${LINE}/${unit}`)
  }
}

describe('simulation runner', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-runner-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const files = () => ({ stateFile: join(folder, 'state', 'plant.json'), ledgerFile: join(folder, 'state', 'ledger.jsonl') })
  const begin = (clock: ManualClock, more: Partial<ConstructorParameters<typeof SimulationRunner>[0]> = {}) => {
    const runner = new SimulationRunner({ simulation: OPTIONS, clock, ...files(), ...more })
    const face = new RecordingFace()
    runner.start([face])
    return { runner, face }
  }
  const job = (id: string, quantity = 10) => ({
    id: `cmd-${id}`,
    name: 'start-job',
    arguments: { jobOrder: id, lot: `lot-${id}`, quantity, setupMs: 0, perPieceMs: MINUTE / 2, product: 'shaft-a', operation: '10-saw' },
  })

  it('lives in step with the clock and says what happened', () => {
    const clock = new ManualClock(START)
    const { runner, face } = begin(clock)
    assert.equal(face.said.length, 11, 'every unit says how it stands')
    assert.equal(runner.command(`${LINE}/saw-1`, job('jo-1')).status, 'done')
    clock.advance(10 * MINUTE)
    const saw = face.statuses('saw-1')
    assert.equal(saw.at(-1)?.state, 'Complete')
    assert.equal(saw.at(-1)!.good + saw.at(-1)!.scrap - saw[0]!.good - saw[0]!.scrap, 10)
  })

  it('has state and ledger on disk before it says a thing', () => {
    const clock = new ManualClock(START)
    const runner = new SimulationRunner({ simulation: OPTIONS, clock, ...files() })
    let checked = 0
    runner.start([
      {
        publish(publications) {
          const saved = loadRun(files().stateFile)!
          const parts = readLedger(files().ledgerFile).filter((row) => row.kind === 'part')
          for (const publication of publications) {
            if (publication.kind !== 'status') continue
            const unit = saved.simulation.units[publication.unit]!
            assert.ok(unit.good >= publication.good && unit.scrap >= publication.scrap)
            if (publication.unit.endsWith('/saw-1') && parts.length > 0) checked++
          }
        },
        pending: () => [],
        close: async () => {},
      },
    ])
    runner.command(`${LINE}/saw-1`, job('jo-1', 5))
    clock.advance(10 * MINUTE)
    assert.ok(checked > 3)
  })

  it('continues after a kill with counters that never go back, and a ledger that agrees', () => {
    const seen = new Map<string, number>()
    let clock = new ManualClock(START)
    const first = new Map<string, number>()
    for (let life = 0; life < 4; life++) {
      // each life ends without close, as a killed process does
      const { runner, face } = begin(clock)
      for (const { id } of referencePlant.units) runner.command(id, job(`jo-${id.slice(LINE.length + 1)}-${life}`, 4))
      clock.advance(11 * MINUTE + life * 777)
      for (const publication of face.said) {
        if (publication.kind !== 'status') continue
        const total = publication.good + publication.scrap
        if (!first.has(publication.unit)) first.set(publication.unit, total)
        assert.ok(total >= (seen.get(publication.unit) ?? 0), `${publication.unit} went back`)
        seen.set(publication.unit, total)
      }
      const now = clock.now()
      const { horizon } = loadRun(files().stateFile)!
      assert.ok(horizon >= now, 'plant time does not go back either')
      // rows that were written and not saved are cut off
      appendFileSync(files().ledgerFile, '{"kind":"part","half')
      clock = new ManualClock(horizon)
    }
    const { runner } = begin(clock)
    const totals = totalsOf(readLedger(files().ledgerFile))
    for (const publication of runner.present()) {
      if (publication.kind !== 'status') continue
      const made = totals.byUnit[publication.unit] ?? { good: 0, scrap: 0 }
      assert.equal(publication.good + publication.scrap - first.get(publication.unit)!, made.good + made.scrap, publication.unit)
    }
    assert.ok(totals.parts > 150)
  })

  it('says readings again after a kill that nobody had acknowledged', () => {
    const clock = new ManualClock(START)
    const { runner, face } = begin(clock)
    runner.command(`${LINE}/saw-1`, job('jo-1', 5))
    clock.advance(10 * MINUTE)
    const readings = face.said.filter((publication) => publication.kind === 'gauge')
    assert.equal(readings.length, 5)
    const acknowledged = face.owed.splice(0, 2)
    clock.advance(2 * MINUTE)
    const second = begin(new ManualClock(clock.now()))
    const repeated = second.face.said.filter((publication) => publication.kind === 'gauge')
    assert.deepEqual(repeated, readings.slice(acknowledged.length))
  })

  it('goes on ticking at the new speed when the clock is tied anew', () => {
    const delays: number[] = []
    const clock = {
      rate: 600,
      now: () => START,
      after(delayMs: number) {
        delays.push(delayMs)
        return () => {}
      },
    }
    const runner = new SimulationRunner({ simulation: OPTIONS, clock, ...files() })
    runner.start([])
    clock.rate = 1
    runner.clockChanged()
    assert.deepEqual(delays, [60_000, 100])
  })

  it('ends where it stands when closed, and goes on there', async () => {
    const clock = new ManualClock(START)
    const { runner } = begin(clock)
    clock.advance(2 * MINUTE + 123)
    await runner.close()
    assert.equal(loadRun(files().stateFile)?.horizon, START + 2 * MINUTE + 123)
  })

  it('keeps what it cannot save unsaid, and says it once it can', () => {
    const errors: Error[] = []
    const clock = new ManualClock(START)
    const { runner, face } = begin(clock, { onError: (error) => errors.push(error) })
    runner.command(`${LINE}/saw-1`, job('jo-1', 5))
    // a folder where the draft of the state should go
    mkdirSync(`${files().stateFile}.new`)
    const before = face.said.length
    clock.advance(10 * MINUTE)
    assert.ok(errors.length > 0)
    const held = face.said.slice(before)
    rmSync(`${files().stateFile}.new`, { recursive: true })
    clock.advance(MINUTE)
    const said = face.said.slice(before)
    assert.ok(said.length > held.length)
    assert.equal(said.filter((publication) => publication.kind === 'gauge').length, 5)
    const parts = readLedger(files().ledgerFile).filter((row) => row.kind === 'part')
    assert.equal(parts.length, 5, 'no part is written twice')
  })

  it('does not flood listeners with the sensor values of a long standstill', () => {
    const clock = new ManualClock(START)
    begin(clock).runner.command(`${LINE}/saw-1`, job('jo-1', 5))
    clock.advance(MINUTE)
    const late = new ManualClock(START + 30 * HOUR)
    const { face, runner } = begin(late)
    const conditions = face.said.filter((publication) => publication.kind === 'condition')
    assert.ok(conditions.length > 0 && conditions.length < 1000, String(conditions.length))
    assert.equal(face.said.filter((publication) => publication.kind === 'gauge').length, 5, 'readings are kept')
    assert.equal(runner.time, late.now())
  })
})

describe('simulation ledger', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-ledger-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const row = (time: number) => ({ kind: 'order' as const, time, order: { id: 'x'.repeat(50), product: 'p', quantity: 1, due: '', priority: 5 } })

  it('begins a new file when the old one is full, and survives a kill in between', () => {
    const path = join(folder, 'ledger.jsonl')
    const ledger = new SimulationLedger(path, 0, 480)
    let rows = 0
    while (ledger.bytes <= 480) ledger.append([row(++rows)])
    const saved = ledger.bytes
    ledger.append([row(++rows)])
    ledger.close()
    assert.equal(readLedger(`${path}.old`).length, rows - 1)
    assert.equal(readLedger(path).length, 1)
    // the state that told of the new file was never saved
    const again = new SimulationLedger(path, saved, 480)
    assert.equal(again.bytes, saved)
    again.close()
    assert.equal(readLedger(path).length, rows - 1)
    assert.equal(readFileSync(path, 'utf8').length, saved)
  })
})

describe('bindings', () => {
  const bindings = new Bindings(referencePlant)
  const status: StatusPublication = {
    kind: 'status',
    unit: `${LINE}/mill-1`,
    time: START,
    state: 'Execute',
    mode: 'Produce',
    job: 'jo-1',
    good: 65_540,
    scrap: 3,
    changed: true,
  }

  it('make one JSON status of the signals that share a topic, counters rolled over', () => {
    const messages = bindings.messages(status)
    assert.equal(messages.length, 1)
    const [{ topic, payload, qos, retain }] = messages as [(typeof messages)[0]]
    assert.deepEqual(
      { topic, qos, retain, payload: JSON.parse(payload) },
      { topic: `${LINE}/mill-1/status`, qos: 1, retain: true, payload: { state: 6, mode: 1, job: 'jo-1', good: 4, scrap: 3, ts: START } },
    )
    assert.deepEqual(bindings.writes(status), [])
  })

  it('write the same to OPC UA variables: job, counts, mode, then state', () => {
    const unit = `${LINE}/mill-2`
    assert.deepEqual(bindings.messages({ ...status, unit }), [])
    assert.deepEqual(
      bindings.writes({ ...status, unit }).map(({ nodeId, value, time }) => [nodeId, value, time]),
      [
        ['ns=1;s=Mill2.Status.JobOrder', 'jo-1', START],
        ['ns=1;s=Mill2.Admin.ProdGoodCount', 4, START],
        ['ns=1;s=Mill2.Admin.ProdDefectiveCount', 3, START],
        ['ns=1;s=Mill2.Status.UnitModeCurrent', 1, START],
        ['ns=1;s=Mill2.Status.StateCurrent', 6, START],
      ],
    )
  })

  it('send readings with what they were taken on', () => {
    const unit = `${LINE}/mill-2`
    const [message] = bindings.messages({
      kind: 'gauge',
      unit,
      time: START,
      characteristic: 'width',
      value: 10.01,
      job: 'jo',
      lot: 'lot',
      serial: 's',
      product: 'p',
    })
    assert.equal(message?.topic, `${unit}/gauge/width`)
    assert.deepEqual(JSON.parse(message!.payload), { v: 10.01, ts: START, job: 'jo', lot: 'lot', serial: 's', product: 'p' })
  })
})
