import { DocumentPoints } from '../../../../../core/connect/influx/document-points.ts'
import { InfluxLink } from '../../../../../core/connect/influx/influx-link.ts'
import { InfluxWriter } from '../../../../../core/connect/influx/influx-writer.ts'

/** A process that writes rows as fast as they are acknowledged, and prints the number of each that was, until it is killed. */
const [url = '', database = '', folder = '', begin = '0'] = process.argv.slice(2)
const link = new InfluxLink({ urls: [new URL(url)], database, retentionPolicy: '', timeoutMs: 1000, createDatabase: true, where: 'test' })
const writer = new InfluxWriter({
  write: (body) => link.write(body),
  folder,
  maxSpoolBytes: 100_000_000,
  batchRows: 50,
  batchMs: 20,
  where: 'test',
  rejected: () => {},
  dropped: () => process.exit(1),
  problem: () => {},
})
const points = new DocumentPoints({ plant: undefined, context: 'no', where: 'test' })
let acknowledged = 0

for (let n = Number(begin) + 1; ; n++) {
  const time = 1_700_000_000_000 + n
  const point = points.pointOf({ kind: 'sample', equipment: 'acme/mill', signal: 'v', value: n, quality: 'good', time, received: time })
  writer.add(point, () => {
    acknowledged++
    process.stdout.write(`${n}\n`)
  })
  if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
  while (n - Number(begin) - acknowledged > 2000) await new Promise((resolve) => setTimeout(resolve, 5))
}
