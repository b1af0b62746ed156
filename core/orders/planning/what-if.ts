import type { Clock } from '../../base/clock.ts'
import { TaktError } from '../../base/error.ts'
import type { IdSource } from '../../base/id.ts'
import type { Plan } from '../../messages/plan.ts'
import type { WhatIf, WhatIfSide } from '../../messages/what-if.ts'
import type { Plant } from '../../plant/plant.ts'
import type { Store } from '../../store/store.ts'
import { comparison, effectOf, names, weightedTardiness } from './plan-effect.ts'
import type { Draft, Planner } from './planner.ts'
import { readFacts } from './read-facts.ts'
import { adoptChanges } from './what-if-adopt.ts'
import { changeDocument, type FoundChange, findChange, sentenceOf } from './what-if-change.ts'
import { afterPlan, withChanges } from './what-if-facts.ts'
import { type AskedChange, readWhatIf } from './what-if-request.ts'

export interface WhatIfParts {
  readonly store: Store
  /** Its own: a question must not hold up the plan. Closed with the desk. */
  readonly planner: Planner
  readonly plant: () => Plant
  readonly clock: Clock
  readonly newId: IdSource
  readonly actor: string
}

interface Kept {
  readonly document: WhatIf
  readonly asked: readonly AskedChange[]
  readonly found: readonly FoundChange[]
}

/** So many answers may still be adopted; older ones are asked again. */
const KEPT = 20

/** Answers what-ifs with the engine that plans, on a copy of the facts, and carries one out when a person says so. Asking writes nothing. */
export class WhatIfDesk {
  readonly #parts: WhatIfParts
  readonly #closing = new AbortController()
  readonly #kept = new Map<string, Kept>()

  constructor(parts: WhatIfParts) {
    this.#parts = parts
  }

  /**
   * The plan as it is beside the plan with the changes that the payload asks for (`readWhatIf` has the shapes). Throws TAKT_WHAT_IF_INVALID, TAKT_WHAT_IF_TIME,
   * TAKT_EQUIPMENT_UNKNOWN, TAKT_ORDER_UNKNOWN, TAKT_ORDER_STATE, TAKT_JOB_ORDER_UNKNOWN, TAKT_PLAN_PIN.
   */
  async ask(payload: unknown): Promise<WhatIf> {
    const { store, planner, clock, newId } = this.#parts
    const where = 'what-if'
    const plant = this.#parts.plant()
    const asked = readWhatIf(payload, plant, where)
    const facts = await readFacts(store, plant, clock.now())
    const found: FoundChange[] = []
    for (const change of asked) found.push(await findChange(store, plant, change, facts.now, where))
    const id = newId('wi')
    const trigger = { type: 'what-if', id }
    const { signal } = this.#closing
    const asIs = await planner.workOut(facts, plant, trigger, signal)
    // from the plan as it is, so that what moves is due to the change, and is told against it
    const whatIf = await planner.workOut(withChanges(afterPlan(facts, asIs.plan), found, plant, id), plant, trigger, signal)
    const document = compare(asIs, whatIf, planner.toleranceMs, {
      id,
      now: facts.now,
      changes: found.map(changeDocument),
      what: found.map((change) => sentenceOf(change, plant, facts.now).slice(0, 500)),
    })
    this.#keep({ document, asked, found })
    return document
  }

  /**
   * Makes a what-if real by its id, `'wi-…'` or `{ whatIf, by?, why? }`; the plan is then to be made anew. Throws TAKT_WHAT_IF_INVALID, TAKT_WHAT_IF_UNKNOWN for an id that is
   * not kept, TAKT_WHAT_IF_STALE when it no longer applies or was adopted before.
   */
  async adopt(payload: unknown): Promise<{ readonly document: WhatIf; readonly by: string }> {
    const { store, plant, actor } = this.#parts
    const { id, by, why } = readAdoption(payload)
    const where = `what-if ${id}`
    const kept = this.#kept.get(id)
    if (kept === undefined) throw new TaktError('TAKT_WHAT_IF_UNKNOWN', { what: `there is no what-if '${id}' any more`, where })
    const { document, asked, found } = kept
    // taken away before the store is asked, so that pressing twice does it once
    this.#kept.delete(id)
    try {
      await store.transaction((tx) => adoptChanges(tx, plant(), { id, asked, found, by, why }, actor))
    } catch (thrown) {
      // what failed for another reason may be tried again
      if (!(thrown instanceof TaktError) || thrown.code !== 'TAKT_WHAT_IF_STALE') this.#keep(kept)
      throw thrown
    }
    return { document, by }
  }

  close(): Promise<void> {
    this.#closing.abort()
    return this.#parts.planner.close()
  }

  #keep(kept: Kept): void {
    this.#kept.set(kept.document.id, kept)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT) break
      this.#kept.delete(oldest)
    }
  }
}

function readAdoption(payload: unknown): { readonly id: string; readonly by: string; readonly why: string | undefined } {
  const { whatIf, by, why } = (typeof payload === 'string' ? { whatIf: payload } : (payload ?? {})) as Record<string, unknown>
  const text = (value: unknown): value is string | undefined => value === undefined || typeof value === 'string'
  if (typeof whatIf !== 'string' || !text(by) || !text(why))
    throw new TaktError('TAKT_WHAT_IF_INVALID', { what: 'an adoption is {whatIf, by?, why?}: the id of the answer, who wants it and why', where: 'adopt' })
  return { id: whatIf, by: (by ?? 'a person').slice(0, 200), why: why?.slice(0, 500) }
}

/** Both plans side by side, lateness weighed by what orders count now: a rush order would else cost more only because it counts more. */
function compare(asIs: Draft, whatIf: Draft, toleranceMs: number, head: Pick<WhatIf, 'id' | 'now' | 'changes' | 'what'>): WhatIf {
  const weights = asIs.weights
  const effect = effectOf(asIs.lateness, whatIf.lateness, weights)
  const [before, after] = [sideOf(asIs, weights), sideOf(whatIf, weights)]
  const lost = after.unplanned.filter((id) => !before.unplanned.includes(id))
  const placeless = lost.length === 0 ? '' : ` ${names(lost)} can no longer be planned.`
  const moved = movesOf(asIs.plan, whatIf.plan, toleranceMs)
  const text = `${comparison(effect, 'than as it is')}${placeless} ${moved.length === 0 ? 'Nothing moves.' : `${moved.length} job order${moved.length === 1 ? '' : 's'} would move.`}`
  return { kind: 'what-if', ...head, text: text.slice(0, 1000), effect, asIs: before, whatIf: after, moved }
}

function sideOf({ plan, lateness }: Draft, weights: Draft['weights']): WhatIfSide {
  const { objective, assignments, problems } = plan
  const placed = new Set(assignments.map(({ jobOrder }) => jobOrder))
  const unplanned = problems.flatMap(({ workOrder, jobOrder }) => (workOrder !== null && jobOrder !== undefined && !placed.has(jobOrder) ? [workOrder] : []))
  return {
    late: [...lateness]
      .filter(([, lateMs]) => lateMs > 0)
      .map(([workOrder, lateMs]) => ({ workOrder, lateMs }))
      .sort((a, b) => b.lateMs - a.lateMs),
    unplanned: [...new Set(unplanned)],
    tardinessMs: objective.tardinessMs,
    weightedTardinessMs: Math.round(weightedTardiness(lateness, weights)),
    makespanMs: objective.makespanMs,
    setups: objective.setups,
    assignments,
    problems,
  }
}

function movesOf(asIs: Plan, whatIf: Plan, toleranceMs: number): WhatIf['moved'] {
  const [before, after] = [asIs, whatIf].map(({ assignments }) => new Map(assignments.map((assignment) => [assignment.jobOrder, assignment])))
  const texts = new Map(whatIf.changes.map(({ jobOrder, text }) => [jobOrder, text]))
  const moved: WhatIf['moved'] = []
  for (const jobOrder of new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])) {
    const [from, to] = [before?.get(jobOrder), after?.get(jobOrder)]
    if (from?.equipment === to?.equipment && Math.abs((from?.start ?? 0) - (to?.start ?? 0)) <= toleranceMs) continue
    const text = texts.get(jobOrder)
    moved.push({
      jobOrder,
      workOrder: (to ?? from)?.workOrder ?? jobOrder,
      from: from === undefined ? null : { equipment: from.equipment, start: from.start },
      to: to === undefined ? null : { equipment: to.equipment, start: to.start },
      ...(text === undefined ? {} : { text }),
    })
  }
  return moved
}
