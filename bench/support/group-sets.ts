/** Seeded sets of rows for the group detector: linear mixtures of slow and fast AR(1) factors with noise, and a fault in some rows. Nothing in them is taken from real data. */

export type Fault = 'level' | 'coherent' | 'relation' | 'drift' | 'spread'
export const FAULTS: readonly Fault[] = ['level', 'coherent', 'relation', 'drift', 'spread']

export interface GroupSetting {
  readonly seed: number
  readonly size: number
  readonly rows: number
  readonly from: number
  /** the first row after the fault */
  readonly to: number
  readonly fault: Fault | 'none'
  /** in standard deviations of a signal */
  readonly strength: number
  /** memory of the factors and of the noise, row to row */
  readonly memory: readonly [least: number, most: number]
  /** one signal warms up slowly all the time, by so many standard deviations in 1,000 rows */
  readonly warming: number
}

/** mulberry32, a small public-domain generator: uniform in [0, 1). */
export function seeded(seed: number): () => number {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Rows with a label each: 1 in the fault. */
export function groupSet(setting: GroupSetting): Array<{ readonly values: number[]; readonly label: 0 | 1 }> {
  const { size, rows, from, to, fault, strength, memory, warming } = setting
  const random = seeded(setting.seed)
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const pick = (least: number, most: number): number => least + (most - least) * random()
  const factors = Math.max(2, Math.round(size / 6))
  const factorMemory = Array.from({ length: factors }, () => pick(...memory))
  const noiseMemory = Array.from({ length: size }, () => pick(0, memory[0]))
  const loads = Array.from({ length: size }, () => {
    const row = Array.from({ length: factors }, () => (random() < 2.5 / factors ? normal() : 0))
    const noise = pick(0.15, 0.8)
    const length = Math.sqrt(row.reduce((sum, load) => sum + load * load, 0) + noise * noise)
    return { row: row.map((load) => load / length), noise: noise / length }
  })
  const level = Array.from({ length: size }, () => 10 ** pick(0, 3))
  const scale = Array.from({ length: size }, (_, i) => (level[i] ?? 1) * 10 ** pick(-2.5, -0.7))
  const guilty = Array.from({ length: size }, (_, i) => i)
    .sort(() => random() - 0.5)
    .slice(0, Math.max(1, Math.round(size / 8)))
  const signs = guilty.map(() => (random() < 0.5 ? -1 : 1))
  const coherent = Math.floor(random() * factors)
  const own = guilty.map(() => 0)
  const factor = factorMemory.map(normal)
  const noise = noiseMemory.map(normal)
  return Array.from({ length: rows }, (_, at) => {
    const faulty = at >= from && at < to && fault !== 'none'
    factorMemory.forEach((m, f) => {
      factor[f] = m * (factor[f] ?? 0) + Math.sqrt(1 - m * m) * normal()
    })
    noiseMemory.forEach((m, i) => {
      noise[i] = m * (noise[i] ?? 0) + Math.sqrt(1 - m * m) * normal()
    })
    const z = loads.map(({ row, noise: share }, i) =>
      row.reduce(
        (sum, load, f) => sum + load * ((factor[f] ?? 0) + (faulty && fault === 'coherent' && f === coherent ? strength : 0)),
        share * (noise[i] ?? 0),
      ),
    )
    guilty.forEach((i, g) => {
      const m = memory[0]
      own[g] = m * (own[g] ?? 0) + Math.sqrt(1 - m * m) * normal()
      if (!faulty) return
      if (fault === 'level') z[i] = (z[i] ?? 0) + strength * (signs[g] ?? 1)
      if (fault === 'drift') z[i] = (z[i] ?? 0) + ((2 * strength * (at - from)) / (to - from)) * (signs[g] ?? 1)
      if (fault === 'relation') z[i] = own[g] ?? 0
      if (fault === 'spread') z[i] = strength * (z[i] ?? 0)
    })
    z[0] = (z[0] ?? 0) + (warming * at) / 1000
    return { values: z.map((value, i) => (level[i] ?? 0) + (scale[i] ?? 1) * value), label: faulty ? 1 : 0 }
  })
}

export interface Judged {
  readonly f1: number
  /** of all normal rows */
  readonly falseAlarmRate: number
  /** rows until the first alarm in the fault; its length where there is none */
  readonly delay: number
}

/** Point by point at one threshold, all sets taken together; the delay is the median. */
export function judge(sets: ReadonlyArray<{ readonly labels: readonly number[]; readonly scores: readonly number[] }>, threshold = 0.5): Judged {
  let truePositives = 0
  let falsePositives = 0
  let misses = 0
  let normal = 0
  const delays: number[] = []
  for (const { labels, scores } of sets) {
    const first = labels.indexOf(1)
    if (first >= 0) {
      const found = scores.findIndex((score, at) => at >= first && labels[at] === 1 && score >= threshold)
      delays.push(found < 0 ? labels.filter((label) => label === 1).length : found - first)
    }
    labels.forEach((label, at) => {
      const alarm = (scores[at] ?? 0) >= threshold
      if (label === 1) alarm ? truePositives++ : misses++
      else {
        normal++
        if (alarm) falsePositives++
      }
    })
  }
  delays.sort((a, b) => a - b)
  return {
    f1: (2 * truePositives) / Math.max(1, 2 * truePositives + falsePositives + misses),
    falseAlarmRate: falsePositives / Math.max(1, normal),
    delay: delays[Math.floor(delays.length / 2)] ?? 0,
  }
}
