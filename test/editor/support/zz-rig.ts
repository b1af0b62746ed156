import { mkdtempSync } from 'node:fs'
import { NodeRedProcess } from '../../e2e/support/node-red-process.ts'
import { dashboardFlow } from './dashboard-flow.ts'
import { sampleOverview } from './overview-sample.ts'

const t0 = Date.now()
const base = Date.UTC(2026, 10, 23, 9, 12)
const red = new NodeRedProcess({ userDir: mkdtempSync('/tmp/t/rig-'), flow: dashboardFlow() })
red.port = 18900
await red.start()
console.log(red.url, Date.now() - t0)
const post = (path: string, body: unknown) =>
  fetch(`${red.url}/test/${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
let n = 0
const units = ['mill-2', 'grinder-1', 'lathe-1']
const sample = (i: number) =>
  units.map((u, k) => {
    const t = base + i * 30000
    const e = 3.1 + 0.3 * Math.sin(i / 9 + k)
    const v = e + 0.4 * Math.sin(i * 1.7 + k) + (k === 0 && i > 150 ? (i - 150) * 0.03 : 0)
    return {
      kind: 'sample',
      equipment: `acme/berlin/machining/line-1/${u}`,
      signal: 'vibration',
      unit: 'mm/s',
      value: v,
      time: t,
      expected: e,
      lower: e - 0.9,
      upper: e + 0.9,
      raised: v > e + 0.9 && i > 160,
    }
  })
for (; n < 210; n++) await post('samples', sample(n))
setInterval(() => {
  void post('overview', sampleOverview(base + n * 30000))
  void post('samples', sample(n++))
}, 500)
