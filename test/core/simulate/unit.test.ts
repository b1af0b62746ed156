import assert from 'node:assert/strict'
import { HOUR, LINE, Line, MINUTE, START } from './support/line.ts'

const statesOf = (line: Line, unit: string): string[] =>
  line
    .of('status', unit)
    .filter((status) => status.changed)
    .map((status) => status.state)
    .filter((state, at, all) => state !== all[at - 1])

describe('simulated unit', () => {
  it('runs a job through the PackML states, sets up first, and completes when good and scrap make the quantity', () => {
    const line = new Line()
    assert.equal(line.start('lathe-1', 'jo-1', 5).status, 'done')
    line.run(HOUR)
    assert.deepEqual(statesOf(line, 'lathe-1'), ['Idle', 'Starting', 'Execute', 'Completing', 'Complete'])
    const { job, state } = line.state('lathe-1')
    assert.equal(state, 'Complete')
    assert.equal((job?.good ?? 0) + (job?.scrap ?? 0), 5)
    const statuses = line.of('status', 'lathe-1')
    assert.ok(statuses.every((status) => status.job === 'jo-1'))
    const setup = statuses.find((status) => status.state === 'Execute')!.time - statuses.find((status) => status.state === 'Starting')!.time
    assert.ok(setup > 4 * MINUTE && setup < 6.5 * MINUTE, `set-up took ${setup / MINUTE} min`)
    assert.equal(statuses.at(-1)!.state, 'Complete')
  })

  it('begins the next job from Complete by resetting itself, and names the new job from its first state on', () => {
    const line = new Line()
    line.start('saw-1', 'jo-1', 2)
    line.run(30 * MINUTE)
    line.start('saw-1', 'jo-2', 2)
    line.run(30 * MINUTE)
    const second = line.of('status', 'saw-1').filter((status) => status.job === 'jo-2')
    assert.deepEqual([...new Set(second.map((status) => status.state))], ['Resetting', 'Idle', 'Starting', 'Execute', 'Completing', 'Complete'])
    // a Complete that names the new job comes only after its last part
    assert.ok(second.find((status) => status.state === 'Complete')!.time > second[0]!.time + 2 * MINUTE)
  })

  it('answers done to a job that it has or had, and does nothing', () => {
    const line = new Line()
    line.start('saw-1', 'jo-1', 2)
    assert.equal(line.start('saw-1', 'jo-1', 2).status, 'done')
    line.run(30 * MINUTE)
    line.start('saw-1', 'jo-2', 2)
    line.run(30 * MINUTE)
    const before = line.state('saw-1')
    assert.equal(line.start('saw-1', 'jo-1', 2).status, 'done')
    line.run(30 * MINUTE)
    assert.equal(line.state('saw-1').good, before.good)
    assert.equal(line.state('saw-1').job?.id, 'jo-2')
  })

  it('obeys a command that comes twice only once', () => {
    const line = new Line()
    line.start('saw-1', 'jo-1', 2)
    line.command('saw-1', 'stop', {}, 'cmd-stop')
    line.run(MINUTE)
    line.start('saw-1', 'jo-2', 50)
    line.run(10 * MINUTE)
    assert.equal(line.command('saw-1', 'stop', {}, 'cmd-stop').status, 'done')
    assert.equal(line.state('saw-1').state, 'Execute')
  })

  it('refuses with a reason what it cannot do now', () => {
    const line = new Line()
    line.start('mill-1', 'jo-1', 50)
    line.run(10 * MINUTE)
    const reason = (unit: string, name: string, args: Record<string, unknown> = {}): string => {
      const receipt = line.command(unit, name, args)
      assert.equal(receipt.status, 'refused', `${name} was ${receipt.status}`)
      assert.equal(receipt.code, 'TAKT_SIMULATOR_COMMAND_REFUSED')
      return receipt.reason ?? ''
    }
    const job = { jobOrder: 'jo-2', quantity: 5, perPieceMs: 1000 }
    assert.match(reason('mill-1', 'start-job', job), /Execute with jo-1/)
    assert.match(reason('mill-1', 'enter-maintenance', { jobOrder: 'mo-1' }), /Execute with jo-1/)
    assert.match(reason('mill-1', 'reset'), /Execute/)
    assert.match(reason('mill-1', 'dance'), /dance/)
    assert.match(reason('mill-3', 'start-job', { ...job, jobOrder: '' }), /jobOrder/)
    for (const quantity of [0, -1, 1.5, Number.NaN, '5', undefined]) assert.match(reason('mill-3', 'start-job', { ...job, quantity }), /quantity/)
    assert.match(reason('mill-3', 'start-job', { jobOrder: 'jo-2', quantity: 5, product: 'shaft-a', operation: '10-saw' }), /perPieceMs/)
    assert.equal(line.state('mill-3').state, 'Idle')
    assert.throws(() => line.command('mill-9', 'stop'), { code: 'TAKT_SIMULATOR_UNIT_UNKNOWN' })
  })

  it('lets a command expire', () => {
    const line = new Line()
    const step = { publications: [], rows: [] }
    const command = { id: 'c', name: 'start-job', arguments: { jobOrder: 'jo-1', quantity: 1, perPieceMs: 1000 }, expires: START - 1 }
    assert.equal(line.simulation.command(`${LINE}/saw-1`, command, step).status, 'expired')
    assert.equal(line.state('saw-1').job, null)
  })

  it('takes its times from the plant model when a job brings none', () => {
    const line = new Line()
    line.command('mill-1', 'start-job', { jobOrder: 'jo-1', lot: 'lot-1', quantity: 3, product: 'shaft-a', operation: '30-mill' })
    assert.equal(line.state('mill-1').job?.perPieceMs, 85_000)
    assert.equal(line.state('mill-1').job?.setupMs, 7 * MINUTE)
    line.run(30 * MINUTE)
    line.command('mill-1', 'start-job', { jobOrder: 'jo-2', lot: 'lot-2', quantity: 3, product: 'shaft-a', operation: '30-mill' })
    assert.equal(line.state('mill-1').job?.setupMs, 2 * MINUTE, 'the same family needs less')
  })

  it('stops, keeps what it made, and takes another job after that', () => {
    const line = new Line()
    line.start('saw-1', 'jo-1', 50)
    line.run(20 * MINUTE)
    assert.equal(line.command('saw-1', 'stop').status, 'done')
    line.run(MINUTE)
    const { state, job } = line.state('saw-1')
    assert.equal(state, 'Stopped')
    assert.ok(job !== null && job.good > 5 && job.good < 50)
    assert.equal(line.totals.byJob['jo-1']!.good, job.good)
    assert.equal(line.start('saw-1', 'jo-2').status, 'done')
    line.run(30 * MINUTE)
    assert.equal(line.state('saw-1').state, 'Complete')
  })

  it('does not stop for a job that is over', () => {
    const line = new Line()
    line.start('saw-1', 'jo-1', 2)
    line.run(30 * MINUTE)
    line.start('saw-1', 'jo-2', 50)
    line.run(10 * MINUTE)
    assert.match(line.command('saw-1', 'stop', { jobOrder: 'jo-1' }).reason ?? '', /jo-2/)
    assert.equal(line.state('saw-1').state, 'Execute')
    assert.equal(line.command('saw-1', 'stop', { jobOrder: 'jo-2' }).status, 'done')
  })

  it('comes back from an abort by reset', () => {
    const line = new Line()
    line.start('saw-1', 'jo-1', 50)
    line.command('saw-1', 'abort')
    line.run(MINUTE)
    assert.equal(line.state('saw-1').state, 'Aborted')
    assert.equal(line.state('saw-1').job?.id, 'jo-1', 'the job stays named')
    line.command('saw-1', 'reset')
    line.run(MINUTE)
    assert.equal(line.state('saw-1').state, 'Stopped')
    assert.deepEqual([...new Set(line.of('status', 'saw-1').map((status) => status.state))], ['Idle', 'Aborting', 'Aborted', 'Clearing', 'Stopped'])
  })

  describe('wear', () => {
    it('fails within hours when it is nearly worn out and nobody repairs it, and then only maintenance helps', () => {
      for (const seed of [1, 2, 3]) {
        const line = new Line({ seed }).work(4 * HOUR, 2 * MINUTE)
        const [failure] = line.totals.stops.filter((stop) => stop.unit.endsWith('/mill-2'))
        assert.equal(failure?.cause, 'failure')
        const hours = (failure!.time - START) / HOUR
        assert.ok(hours > 1.5 && hours < 3.5, `failed after ${hours} h`)
        assert.equal(line.state('mill-2').state, 'Aborted')
        assert.equal(line.state('mill-2').job?.id, failure!.job)
        assert.match(line.start('mill-2', 'jo-next').reason ?? '', /maintenance/)
        assert.equal(line.command('mill-2', 'reset').status, 'refused')
      }
    })

    it('is seen in vibration, temperature and load well before', () => {
      const line = new Line().work(2 * HOUR, 2 * MINUTE)
      const running = (unit: string, signal: string, from: number, to: number): number => {
        const values = line
          .of('condition', unit)
          .filter((sample) => sample.signal === signal && sample.time >= START + from && sample.time < START + to)
          .map((sample) => sample.value)
          .sort((a, b) => a - b)
        // set-ups are quiet; the upper part is cutting
        return values[Math.floor(values.length * 0.75)]!
      }
      for (const signal of ['vibration', 'load', 'temperature'])
        assert.ok(
          running('mill-2', signal, 1.6 * HOUR, 2 * HOUR) / running('mill-2', signal, 0.15 * HOUR, 0.5 * HOUR) >
            1.05 * (running('mill-1', signal, 1.6 * HOUR, 2 * HOUR) / running('mill-1', signal, 0.15 * HOUR, 0.5 * HOUR)),
          signal,
        )
      const vibration = line.of('condition', 'mill-2').filter((sample) => sample.signal === 'vibration')
      const early = vibration.filter((sample) => sample.time < START + 20 * MINUTE).at(-1)!.value
      const after40 = Math.max(...vibration.filter((sample) => sample.time < START + 45 * MINUTE).map((sample) => sample.value))
      assert.ok(after40 > early * 1.1, `${early} → ${after40} mm/s`)
    })

    it('leaves healthy units alone for a day', () => {
      const line = new Line({ wornUnit: '', seed: 3 }).work(12 * HOUR, 5 * MINUTE)
      assert.equal(line.totals.stops.length, 0)
    })

    it('makes worn units scrap more and leave the limits more often', () => {
      const line = new Line({ wornUnit: 'mill-1', wornAt: 0.8, seed: 5 })
      for (let round = 0; round < 6; round++) {
        for (const unit of ['mill-1', 'mill-3']) {
          line.start(unit, `jo-${unit}-${round}`, 40, { setupMs: 0, perPieceMs: 1000, product: 'flange-b', operation: '30-mill' })
          line.run(2 * MINUTE)
        }
      }
      const [worn, healthy] = ['mill-1', 'mill-3'].map((unit) => line.totals.byUnit[`${LINE}/${unit}`]!)
      assert.ok(worn!.scrap > healthy!.scrap, `scrap ${worn!.scrap} and ${healthy!.scrap}`)
      assert.ok(worn!.bad > healthy!.bad, `bad ${worn!.bad} and ${healthy!.bad}`)
    })
  })

  describe('maintenance', () => {
    const repair = (line: Line, unit: string): number => {
      assert.equal(line.command(unit, 'enter-maintenance', { jobOrder: 'mo-1', durationMs: 45 * MINUTE }).status, 'done')
      line.run(4 * HOUR)
      return line.totals.repairs.find((row) => row.kind === 'repair-ended')!.durationMs
    }

    it('takes as long as planned repairs do, in mode Maintenance with its order named, and leaves a well machine, Complete in mode Produce', () => {
      const line = new Line()
      const duration = repair(line, 'mill-2')
      assert.ok(duration > 42 * MINUTE && duration < 48 * MINUTE, `${duration / MINUTE} min`)
      const statuses = line.of('status', 'mill-2').filter((status) => status.changed)
      assert.deepEqual(
        statuses.map(({ state, mode, job }) => [state, mode, job]),
        [
          ['Starting', 'Maintenance', 'mo-1'],
          ['Execute', 'Maintenance', 'mo-1'],
          ['Completing', 'Maintenance', 'mo-1'],
          ['Complete', 'Produce', 'mo-1'],
        ],
      )
      assert.ok(line.state('mill-2').wear < 0.1)
      assert.equal(line.start('mill-2', 'jo-1', 3).status, 'done')
      line.run(HOUR)
      assert.equal(line.state('mill-2').state, 'Complete')
    })

    it('takes much longer after a failure, whatever the planner thought', () => {
      const line = new Line()
      line.simulation.break('mill-2', 1, line.steps)
      line.run(2 * MINUTE)
      assert.equal(line.state('mill-2').state, 'Aborted')
      const duration = repair(line, 'mill-2')
      assert.ok(duration > 168 * MINUTE && duration < 192 * MINUTE, `${duration / MINUTE} min`)
      assert.equal(line.totals.repairs[0]!.unplanned, true)
      assert.equal(line.start('mill-2', 'jo-1', 3).status, 'done')
    })

    it('refuses work while it lasts, and answers done when told of the same repair again', () => {
      const line = new Line()
      line.command('mill-2', 'enter-maintenance', { jobOrder: 'mo-1' })
      line.run(MINUTE)
      assert.match(line.start('mill-2', 'jo-1').reason ?? '', /repair until/)
      assert.match(line.command('mill-2', 'stop').reason ?? '', /repair/)
      assert.equal(line.command('mill-2', 'enter-maintenance', { jobOrder: 'mo-1' }).status, 'done')
      line.run(HOUR)
      assert.equal(line.totals.repairs.length, 2)
    })
  })

  describe('gauge', () => {
    it('sees the parts that are out of specification and that the machine counts as good', () => {
      const line = new Line({ wornUnit: '' })
      line.simulation.spoil('grinder-1', 3, line.steps)
      line.start('grinder-1', 'jo-1', 10, { product: 'shaft-a', operation: '50-grind' })
      line.run(HOUR)
      const total = line.totals.byJob['jo-1']!
      assert.equal(total.bad, 3)
      const readings = line.of('gauge', 'grinder-1')
      assert.equal(readings.length, 2 * total.good, 'diameter and roughness of every good part')
      const limits: Record<string, [number, number]> = { diameter: [34.984, 35], roughness: [0, 0.8] }
      const out = new Set(
        readings.filter(({ characteristic, value }) => value < limits[characteristic]![0] || value > limits[characteristic]![1]).map(({ serial }) => serial),
      )
      assert.deepEqual(
        [...out],
        line.totals.badSerials.map(({ serial }) => serial),
      )
      assert.ok(readings.every(({ job, lot, product }) => job === 'jo-1' && lot === 'lot-jo-1' && product === 'shaft-a'))
    })
  })
})
