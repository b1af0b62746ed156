import assert from 'node:assert/strict'
import { Dice } from '../../../core/simulate/dice.ts'
import type { SimulatedOrder } from '../../../core/simulate/happenings.ts'
import { HOUR, LINE, Line, MINUTE, referencePlant, START } from './support/line.ts'

describe('plant simulation', () => {
  const script = (line: Line, stepMs: number): Line => {
    const run = (durationMs: number): void => {
      for (let left = durationMs; left > 0; left -= stepMs) line.run(Math.min(stepMs, left))
    }
    line.start('mill-2', 'jo-1', 20, { product: 'housing-c', operation: '10-face' })
    line.start('saw-1', 'jo-2', 20, { product: 'shaft-a', operation: '10-saw' })
    run(40 * MINUTE)
    line.command('mill-2', 'enter-maintenance', { jobOrder: 'mo-1' })
    line.start('lathe-2', 'jo-3', 12, { product: 'shaft-a', operation: '20-turn' })
    run(2 * HOUR)
    return line
  }

  it('depends on the seed and the commands alone, not on how time is cut', () => {
    const coarse = script(new Line(), 20 * MINUTE)
    const fine = script(new Line(), 700)
    assert.deepEqual(fine.steps.rows, coarse.steps.rows)
    assert.deepEqual(
      fine.steps.publications.filter((publication) => publication.unit.endsWith('/mill-2')),
      coarse.steps.publications.filter((publication) => publication.unit.endsWith('/mill-2')),
    )
  })

  it('differs with another seed', () => {
    assert.notDeepEqual(script(new Line({ seed: 8 }), HOUR).steps.rows, script(new Line({ seed: 9 }), HOUR).steps.rows)
  })

  it('continues from its saved state as if nothing had been', () => {
    const whole = new Line().work(HOUR)
    const half = new Line().work(30 * MINUTE)
    const rest = new Line({ seed: 999 }, JSON.parse(JSON.stringify(half.simulation.state)))
    // the same work goes on: only the numbers of the jobs begin anew
    rest.run(0)
    whole.simulation.break('saw-2', 0.5, whole.steps)
    half.run(30 * MINUTE)
    rest.run(30 * MINUTE)
    assert.deepEqual(rest.steps.publications, half.steps.publications.slice(-rest.steps.publications.length))
    assert.ok(rest.steps.publications.length > 500)
  })

  it('conserves parts: counters, jobs and ledger agree for every unit and job', () => {
    const line = new Line({ seed: 11 })
    const before = Object.fromEntries(referencePlant.units.map(({ id }) => [id, line.state(id.slice(LINE.length + 1))]))
    line.work(6 * HOUR, 3 * MINUTE)
    let parts = 0
    for (const { id } of referencePlant.units) {
      const now = line.state(id.slice(LINE.length + 1))
      const made = line.totals.byUnit[id]!
      assert.equal(now.good - before[id]!.good, made.good, id)
      assert.equal(now.scrap - before[id]!.scrap, made.scrap, id)
      parts += made.good + made.scrap
    }
    assert.equal(line.totals.parts, parts)
    assert.ok(parts > 1000)
    for (const row of line.steps.rows) {
      if (row.kind !== 'job-ended') continue
      assert.deepEqual({ ...line.totals.byJob[row.job], bad: 0 }, { good: row.good, scrap: row.scrap, bad: 0 })
      assert.equal(row.good + row.scrap, 6)
    }
    const serials = line.steps.rows.flatMap((row) => (row.kind === 'part' ? [row.serial] : []))
    assert.equal(new Set(serials).size, serials.length)
  })

  it('puts machines back as delivered on reset, but never time or counters', () => {
    const line = new Line().work(3 * HOUR, 5 * MINUTE)
    const { good, scrap } = line.state('mill-2')
    line.simulation.reset(line.steps)
    const now = line.state('mill-2')
    assert.deepEqual([now.state, now.job, now.good, now.scrap, now.failed], ['Idle', null, good, scrap, false])
    assert.equal(now.wear, 0.68)
    assert.equal(line.simulation.time, START + 3 * HOUR)
    assert.equal(line.start('mill-2', 'jo-new').status, 'done')
  })

  describe('orders', () => {
    const ordersOf = (line: Line): SimulatedOrder[] => line.steps.rows.flatMap((row) => (row.kind === 'order' ? [row.order] : []))

    it('come from the seed, some at once and then at the rate, for every product, with due dates after they came', () => {
      const line = new Line().run(48 * HOUR)
      const orders = ordersOf(line)
      assert.ok(orders.length > 85 && orders.length < 120, `${orders.length} orders in two days`)
      assert.deepEqual(new Set(orders.map(({ product }) => product)), new Set(['shaft-a', 'flange-b', 'housing-c']))
      assert.deepEqual(orders, ordersOf(new Line().run(48 * HOUR)))
      assert.equal(new Set(orders.map(({ id }) => id)).size, orders.length)
      for (const row of line.steps.rows) if (row.kind === 'order') assert.ok(Date.parse(row.order.due) > row.time + HOUR)
      assert.equal(ordersOf(new Line().run(1)).length, 6)
    })

    it('are not made anew after a restart', () => {
      const line = new Line().run(3 * HOUR)
      const again = new Line({}, JSON.parse(JSON.stringify(line.simulation.state))).run(9 * HOUR)
      assert.deepEqual([...ordersOf(line), ...ordersOf(again)], ordersOf(new Line().run(12 * HOUR)))
      assert.deepEqual(line.simulation.recentOrders, ordersOf(line))
    })

    it('do not come when none are wanted', () => {
      assert.equal(ordersOf(new Line({ ordersPerHour: 0, ordersAhead: 0 }).run(24 * HOUR)).length, 0)
      assert.equal(ordersOf(new Line({ ordersPerHour: 0, ordersAhead: 3 }).run(24 * HOUR)).length, 3)
    })
  })
})

describe('dice', () => {
  it('draws gamma and normal values with the right mean and variance', () => {
    const dice = new Dice(42)
    const moments = (draw: () => number): [number, number] => {
      const values = Array.from({ length: 20_000 }, draw)
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length
      return [mean, values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length]
    }
    for (const [shape, scale] of [
      [0.1, 2],
      [0.8, 1],
      [5, 0.3],
    ] as const) {
      const [mean, variance] = moments(() => dice.gamma(shape, scale))
      assert.ok(Math.abs(mean - shape * scale) < 0.05 * shape * scale + 0.01, `mean ${mean}`)
      assert.ok(Math.abs(variance - shape * scale ** 2) < 0.12 * shape * scale ** 2, `variance ${variance}`)
    }
    const [mean, variance] = moments(() => dice.normal())
    assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05)
  })

  it('continues from its state', () => {
    const dice = new Dice(5)
    dice.normal()
    const twin = new Dice(dice.state)
    assert.deepEqual([dice.next(), dice.gamma(0.3, 1)], [twin.next(), twin.gamma(0.3, 1)])
  })
})
