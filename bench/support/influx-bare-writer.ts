import { InfluxDB } from 'influx'

/** The cheapest batched writer there is: `node influx-bare-writer.ts <port> <database> <points> <a batch> <first time>` prints points a second. */

const [port = '8086', database = '', points = '0', batch = '5000', from = '0'] = process.argv.slice(2)
const influx = new InfluxDB({ host: '127.0.0.1', port: Number(port), database })
await influx.createDatabase(database)
const start = performance.now()
for (let sent = 0; sent < Number(points); sent += Number(batch)) {
  const rows = Array.from({ length: Math.min(Number(batch), Number(points) - sent) }, (_, i) => ({
    measurement: 'sample',
    tags: { equipment: 'takt/unit', signal: `s${(sent + i) % 20}`, unit: 'mm/s' },
    fields: { value: (sent + i) / 7, quality: 'good' },
    timestamp: Number(from) + sent + i,
  }))
  await influx.writePoints(rows, { precision: 'ms' })
}
console.log((Number(points) / (performance.now() - start)) * 1000)
process.exit(0)
