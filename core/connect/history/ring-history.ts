import type { SampleRing } from '../../store/sample-ring.ts'
import { type HistoryPoint, type SignalHistory, spansOf } from './history.ts'
import { MOST_VALUES, type SignalName } from './history-request.ts'

/** The recent past of signals in the store, where there is no database: what its ring has kept. */
export function ringHistory(ring: SampleRing): SignalHistory {
  const read = async ({ equipment, signal }: SignalName, from: number, to: number, limit: number) => {
    const samples = await ring.recent(equipment, signal, from, to, limit)
    return { points: samples.map(({ time, value }): HistoryPoint => [time, value]), unit: samples.at(-1)?.unit ?? null }
  }
  return {
    values: read,
    async spans(name, from, to, aggregate, everyMs) {
      const { points } = await read(name, from, to, MOST_VALUES)
      return spansOf(points, aggregate, everyMs)
    },
  }
}
