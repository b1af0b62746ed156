import assert from 'node:assert/strict'
import type { ProcedureStep } from '../../../../core/messages/procedure.ts'
import { checkProcedure } from '../../../../core/procedures/check-procedure.ts'
import { decideVersion, differenceNow, proposeVersion } from '../../../../core/procedures/versions.ts'
import type { Store } from '../../../../core/store/store.ts'
import { code } from '../../orders/fixture.ts'
import type { StoreBench } from '../../store/support/store.ts'
import { inForce, opened, STEPS } from '../support.ts'

const text = (steps: unknown, more: Record<string, unknown> = {}): unknown => ({ procedure: 'mill-shaft', why: 'new limits', steps, ...more })

/** Both dialects have to pass. */
export function versions(newBench: () => StoreBench): void {
  describe('versions of a procedure', () => {
    let bench: StoreBench
    let store: Store
    beforeEach(() => {
      bench = newBench()
      ;({ store } = opened(bench))
    })
    afterEach(() => bench.close())

    const propose = (steps: readonly ProcedureStep[], author = 'Eva') =>
      store.transaction((tx) => proposeVersion(tx, checkProcedure(text(steps), 'test'), author))
    const approve = (procedure: string, sha256: unknown, by = 'Sven', approved = true) =>
      store.transaction((tx) => decideVersion(tx, { procedure, approved, sha256, why: 'seen' }, by))

    it('are approved by another person than the author, who has seen what they change', async () => {
      await inForce(store)
      const [first, ...rest] = STEPS
      const steps = [
        first!,
        ...rest
          .filter(({ id }) => id !== 'note')
          .map((step) => (step.id === 'which' ? { ...step, ways: [{ to: 'cool' }] } : step.id === 'width' ? { ...step, upper: 10.2 } : step)),
        { id: 'label', type: 'confirm', text: 'Labelled?' } as const,
      ]
      const proposed = await propose(steps)
      assert.deepEqual([proposed.id, proposed.state], ['mill-shaft@2', 'draft'])
      const difference = await differenceNow(store, 'mill-shaft@2')
      assert.deepEqual(
        difference.steps.map(({ step, change }) => `${change} ${step}`),
        ['removed note', 'changed width', 'changed which', 'added label'],
      )
      assert.deepEqual([difference.against, difference.steps[1]?.before?.upper, difference.steps[1]?.after?.upper], ['mill-shaft@1', 10.5, 10.2])
      assert.equal(await code(approve('mill-shaft@2', difference.sha256, 'Eva')), 'TAKT_PROCEDURE_SAME_PERSON')
      assert.equal(await code(approve('mill-shaft@2', undefined)), 'TAKT_PROCEDURE_CHANGED')
      assert.equal((await approve('mill-shaft@2', difference.sha256)).state, 'approved')
      assert.equal((await store.get('procedure', 'mill-shaft@1'))?.state, 'replaced')
      assert.equal(await code(approve('mill-shaft@2', difference.sha256)), 'TAKT_PROCEDURE_DECIDED')
    })

    it('are not approved on a difference that is not true any more', async () => {
      await inForce(store)
      await propose(STEPS.slice(0, 2))
      const seen = await differenceNow(store, 'mill-shaft@2')
      await inForce(store, STEPS.slice(0, 3))
      assert.equal(await code(approve('mill-shaft@2', seen.sha256)), 'TAKT_PROCEDURE_CHANGED')
      assert.equal((await approve('mill-shaft@2', undefined, 'Sven', false)).state, 'refused')
      assert.equal(await code(approve('mill-shaft@9', 'x')), 'TAKT_PROCEDURE_UNKNOWN')
    })

    it('show steps that were moved, and of a first version all as added', async () => {
      const steps: ProcedureStep[] = ['a', 'b', 'c'].map((id) => ({ id, type: 'instruct', text: id }))
      const first = await inForce(store, steps)
      assert.equal(first.version, 1)
      await propose([steps[1]!, steps[0]!, steps[2]!])
      const { steps: changes } = await differenceNow(store, 'mill-shaft@2')
      assert.ok(changes.length > 0 && changes.every(({ change }) => change === 'moved'))
    })
  })
}
