import { sampleRingOf } from '../../store/sample-ring.ts'
import type { Store } from '../../store/store.ts'

export interface StoredSignal {
  readonly equipment: string
  readonly signal: string
}

const LISTED = 500
const LOOKED_AT = 20_000
const TIME_MS = 1000

/**
 * Signals of which the store has numbers, by name, at most 500; only those that are watched. It leaps from one signal to the next in the index, so that the
 * number of samples does not matter. `isMore`: there are others, or there was no time to look.
 */
export async function storedSignals(
  store: Store,
  isWatched: (equipment: string, signal: string) => boolean,
  tick: () => number = () => performance.now(),
): Promise<{ readonly signals: readonly StoredSignal[]; readonly isMore: boolean }> {
  await sampleRingOf(store).flush()
  const began = tick()
  const signals: StoredSignal[] = []
  let equipment = ''
  let signal = ''
  for (let looked = 0; looked < LOOKED_AT && signals.length < LISTED && tick() - began < TIME_MS; looked++) {
    const next = await nextSignal(store, equipment, signal)
    if (next === undefined) return { signals, isMore: false }
    ;({ equipment, signal } = next)
    if (typeof JSON.parse(next.value) === 'number' && isWatched(equipment, signal)) signals.push({ equipment, signal })
  }
  return { signals, isMore: true }
}

function nextSignal(store: Store, equipment: string, signal: string): Promise<{ equipment: string; signal: string; value: string } | undefined> {
  return store.db
    .selectFrom('sample_ring')
    .select(['equipment', 'signal', 'value'])
    .where((is) => is(is.refTuple('equipment', 'signal'), '>', is.tuple(equipment, signal)))
    .orderBy('equipment')
    .orderBy('signal')
    .limit(1)
    .executeTakeFirst()
}
