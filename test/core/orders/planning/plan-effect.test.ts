import assert from 'node:assert/strict'
import { comparison, effectOf, effectText, names } from '../../../../core/orders/planning/plan-effect.ts'
import { HOUR, MINUTE, Shop, START } from './fixture.ts'

describe('plan effect', () => {
  it('names what becomes late and what is saved, and weighs the difference', () => {
    const before = new Map([
      ['a', 0],
      ['b', HOUR],
      ['c', 2 * HOUR],
    ])
    const after = new Map([
      ['a', 30 * MINUTE],
      ['b', 0],
      ['c', 3 * HOUR],
      ['new', 10 * MINUTE],
    ])
    const weights = new Map([
      ['a', 1],
      ['b', 4],
      ['c', 1],
      ['new', 1],
    ])
    // 30 min + 1 h + 10 min later, and four times an hour gained
    assert.deepEqual(effectOf(before, after, weights), { becomesLate: ['a', 'new'], saved: ['b'], weightedTardinessMs: -140 * MINUTE })
  })

  it('says it in sentences', () => {
    const none = { becomesLate: [], saved: [], weightedTardinessMs: 0 }
    assert.equal(comparison(none, 'than plan 3'), 'No order becomes late: no more weighted lateness than plan 3.')
    const effect = { becomesLate: ['wo-1', 'wo-2'], saved: ['wo-3'], weightedTardinessMs: 125 * MINUTE }
    assert.equal(comparison(effect, 'than plan 3'), 'wo-1 and wo-2 become late, wo-3 is saved: 2 h 5 min more weighted lateness than plan 3.')
    const kept = { becomesLate: [], saved: ['wo-9'], weightedTardinessMs: -5 * HOUR }
    assert.equal(effectText(null, null, kept), 'Doing nothing would cost 5 h more and make wo-9 late.')
    assert.equal(
      effectText(none, 3, { becomesLate: ['wo-4'], saved: [], weightedTardinessMs: 10 * MINUTE }),
      'No order becomes late: no more weighted lateness than plan 3. Doing nothing would cost 10 min less and keep wo-4 in time.',
    )
    assert.equal(names(['a', 'b', 'c', 'd', 'e', 'f']), 'a, b, c, d and 2 more')
  })

  it('stands in the plan: against what was promised, and against the old plan shifted', async () => {
    const shop = new Shop()
    try {
      // three mills, four plates of 75 min each: one has to wait for a free mill and is still in time
      for (let n = 1; n <= 4; n++) await shop.order(`wo-${n}`, { product: 'plate', dueIn: 3 * HOUR })
      const first = (await shop.replan()).plan
      assert.equal(first?.effect?.againstBefore, null)
      assert.equal(first?.effect?.againstDoingNothing, null)

      // two mills gone for a day: what was promised on them is late, doing nothing leaves it there
      for (const unit of ['p/mill-2', 'p/mill-3'])
        await shop.disruption({ id: `dis-${unit.slice(-1)}`, equipment: unit, action: 'block', unavailable: { from: START, to: START + 24 * HOUR } })
      const { plan } = await shop.replan()
      const { againstBefore, againstDoingNothing, text } = plan?.effect ?? {}
      assert.ok(plan !== null && againstBefore && againstDoingNothing && text)
      // one mill makes two plates in three hours: 75 min and 60 min without a set-up, 135 in all; the others come after
      const late = plan.problems.filter(({ code }) => code === 'TAKT_PLAN_LATE').map(({ workOrder }) => workOrder)
      assert.equal(late.length, 2)
      assert.deepEqual(againstBefore.becomesLate.toSorted(), late.toSorted())
      assert.deepEqual(againstBefore.saved, [])
      const end = (order: string): number => Math.max(...plan.assignments.filter((row) => row.workOrder === order).map((row) => row.end))
      const weighted = late.reduce((sum, order) => sum + end(order ?? '') - START - 3 * HOUR, 0)
      assert.equal(againstBefore.weightedTardinessMs, weighted)
      assert.ok(againstDoingNothing.weightedTardinessMs < -20 * HOUR, 'waiting for two mills for a day is dear')
      assert.match(text, /^wo-\d and wo-\d become late: .* more weighted lateness than plan 1\. Doing nothing would cost .* more/)
    } finally {
      await shop.close()
    }
  })
})
