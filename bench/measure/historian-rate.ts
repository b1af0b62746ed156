import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InfluxDB } from 'influx'
import { DocumentPoints } from '../../core/connect/influx/document-points.ts'
import { InfluxLink } from '../../core/connect/influx/influx-link.ts'
import { InfluxWriter } from '../../core/connect/influx/influx-writer.ts'
import type { Sample } from '../../core/messages/sample.ts'
import { hasInfluxd, Influxd } from '../../test/core/connect/support/influxd.ts'

const BATCH = 5000
const SIGNALS = 200
const SAMPLES = 150_000
const ROUNDS = 5
const BEGIN = 1_700_000_000_000

export interface HistorianRate {
  /** Rows a second. */
  readonly bare: number
  readonly historian: number
}

const sampleOf = (n: number): Sample => ({
  kind: 'sample',
  equipment: `acme/berlin/line-1/unit-${n % 10}`,
  signal: `signal-${n % SIGNALS}`,
  value: Math.sin(n) * 100,
  unit: 'mm/s',
  quality: 'good',
  time: BEGIN + Math.floor(n / SIGNALS),
  received: BEGIN + n,
})

/** The library alone, as one would write it: points made from samples, a batch a request, one after the other. */
async function bare(url: URL, database: string): Promise<number> {
  const client = new InfluxDB({ host: url.hostname, port: Number(url.port), database })
  await client.createDatabase(database)
  const start = performance.now()
  for (let n = 0; n < SAMPLES; n += BATCH) {
    const points = Array.from({ length: BATCH }, (_, i) => {
      const { equipment, signal, unit = '', value, quality, time } = sampleOf(n + i)
      return { measurement: 'sample', tags: { equipment, signal, unit }, fields: { value, quality }, timestamp: time }
    })
    await client.writePoints(points, { precision: 'ms' })
  }
  return (SAMPLES / (performance.now() - start)) * 1000
}

/** The historian's writer with its spool, from samples too; it is never given more than it takes. */
async function historian(url: URL, database: string, folder: string): Promise<number> {
  const link = new InfluxLink({ urls: [url], database, retentionPolicy: '', timeoutMs: 10_000, createDatabase: true, where: 'bench' })
  const points = new DocumentPoints({ plant: undefined, context: 'no', where: 'bench' })
  const lost: string[] = []
  const writer = new InfluxWriter({
    write: (body) => link.write(body),
    folder,
    maxSpoolBytes: 256_000_000,
    batchRows: BATCH,
    batchMs: 1000,
    where: 'bench',
    rejected: ({ reason }) => void lost.push(reason),
    dropped: (rows) => void lost.push(`${rows} dropped`),
    problem: (problem) => void (problem !== undefined && lost.push(problem.message)),
  })
  await link.write('warm value=1 1')
  const start = performance.now()
  for (let n = 0; n < SAMPLES; n++) {
    writer.add(points.pointOf(sampleOf(n)))
    while (n % BATCH === BATCH - 1 && writer.figures.inMemory > 2 * BATCH) await new Promise((resolve) => setImmediate(resolve))
  }
  while (writer.figures.waiting > 0) await new Promise((resolve) => setTimeout(resolve, 1))
  const rate = (SAMPLES / (performance.now() - start)) * 1000
  await writer.close()
  await link.end()
  if (lost.length > 0) throw new Error(lost.join('; '))
  return rate
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** Rows a second into a real influxd, in turn; both must have written every row. Undefined where influxd is not installed. */
export async function historianRate(): Promise<HistorianRate | undefined> {
  if (!hasInfluxd()) return undefined
  const influxd = await Influxd.start()
  const folder = mkdtempSync(join(tmpdir(), 'takt-bench-historian-'))
  const rates = { bare: [] as number[], historian: [] as number[] }
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      const made = { bare: await bare(new URL(influxd.url), `bare${round}`), historian: await historian(new URL(influxd.url), `takt${round}`, folder) }
      for (const name of ['bare', 'historian'] as const) {
        const count = await influxd.count(name === 'bare' ? `bare${round}` : `takt${round}`, 'sample', 'value')
        if (count !== SAMPLES) throw new Error(`${name} wrote ${count} of ${SAMPLES} rows`)
        // the first round warms both up
        if (round > 0) rates[name].push(made[name])
      }
    }
  } finally {
    await influxd.remove()
    rmSync(folder, { recursive: true, force: true })
  }
  return { bare: median(rates.bare), historian: median(rates.historian) }
}
