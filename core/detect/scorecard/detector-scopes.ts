import type { Store, StoreReader } from '../../store/store.ts'

/** What a detector watches, kept in the store so that one that never says anything is scored too. */
export interface DetectorScope {
  /** id of the node */
  readonly detector: string
  readonly name: string
  readonly method: string
  /** ids of the equipment that it has judged values of */
  readonly equipment: readonly string[]
  /** plant time since which it does, epoch ms */
  readonly since: number
}

const KEY = 'detector'

/** Keeps it under the node's id. With another method it is another detector, and begins anew. */
export async function saveScope(store: Store, scope: DetectorScope): Promise<void> {
  await store.saveState(scope.detector, KEY, scope)
}

export async function loadScope(store: Store, detector: string): Promise<DetectorScope | undefined> {
  return asScope(await store.loadState(detector, KEY))
}

/** The detector is gone: its alarms are still scored while they are in the span, its silence is not. */
export async function dropScope(store: Store, detector: string): Promise<void> {
  await store.saveStates(detector, new Map(), [KEY])
}

export async function readScopes(store: StoreReader): Promise<DetectorScope[]> {
  const rows = await store.db.selectFrom('node_state').select('state').where('key', '=', KEY).orderBy('node').execute()
  return rows.map(({ state }) => asScope(JSON.parse(state))).filter((scope) => scope !== undefined)
}

function asScope(saved: unknown): DetectorScope | undefined {
  if (typeof saved !== 'object' || saved === null) return undefined
  const { detector, name, method, equipment, since } = saved as Partial<DetectorScope>
  const isOne = typeof detector === 'string' && typeof name === 'string' && typeof method === 'string' && typeof since === 'number' && Array.isArray(equipment)
  return isOne ? { detector, name, method, equipment, since } : undefined
}
