import type { LedgerEvent, Store } from '../../core/store/store.ts'
import type { Message } from '../shared/define-node.ts'
import { whoActs } from '../shared/known-people.ts'

/** What a person decided of a proposal, beside what became of it. */
export function recordDecision(
  store: Store,
  type: 'plan.approved' | 'plan.refused',
  version: number | null,
  by: string | undefined,
  actor: string,
): Promise<LedgerEvent> {
  return store.transaction((tx) => tx.record({ type, subject: 'plan', actor: by ?? actor, after: { version } }))
}

/** The request with who is known in place of whom it names. */
export async function adoptedBy(store: Store, { payload, ...message }: Message, where: string): Promise<unknown> {
  const asked = typeof payload === 'object' && payload !== null ? (payload as Readonly<Record<string, unknown>>) : { whatIf: payload }
  const by = await whoActs(store, message, 'plan.adopt', '', asked.by, where)
  return by === undefined ? payload : { ...asked, by }
}
