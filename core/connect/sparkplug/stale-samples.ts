import type { Sample } from '../../messages/sample.ts'
import type { TopicSample } from './metric-samples.ts'
import type { KnownMetric } from './metric-table.ts'

/** The last values of metrics, which are good no longer: told so once, at `time` or at their own where that is later. Epoch ms of plant time. */
export function staleSamples(metrics: readonly KnownMetric[], time: number, received: number): readonly TopicSample[] {
  const stale: TopicSample[] = []
  for (const { targets, last } of metrics) {
    for (const [index, { topic }] of targets.entries()) {
      const before = last[index]
      if (before === undefined || before.quality === 'bad') continue
      const sample: Sample = { ...before, quality: 'bad', time: Math.max(time, before.time), received }
      last[index] = sample
      stale.push({ topic, sample })
    }
  }
  return stale
}
