import { memory } from '../measure/memory.ts'
import { messageCpu } from '../measure/message-cpu.ts'
import { opcuaRate } from '../measure/opcua-rate.ts'
import { replanMs } from '../measure/replan.ts'
import { startSeconds } from '../measure/start-time.ts'
import type { Row } from '../support/table.ts'

/** The plant in a minute: what a message costs, how fast machines are read, how soon a plan follows, how the whole thing starts and stays. */
export async function run(): Promise<readonly Row[]> {
  const minutes = Number(process.env.BENCH_MINUTES ?? 10)
  const cpu = await messageCpu()
  const rate = await opcuaRate()
  const replan = await replanMs(600)
  const start = await startSeconds()
  const { rss, growth } = await memory(minutes)
  return [
    { what: 'mqtt in → function with rolling z-score → sink, CPU a message', figure: cpu.functionFlow, unit: 'us' },
    { what: 'mqtt sensor → anomaly → sink, CPU a message', figure: cpu.taktFlow, unit: 'us' },
    { what: '  ratio', figure: cpu.taktFlow / cpu.functionFlow, unit: '×', target: { atMost: 0.7 } },
    { what: 'bare node-opcua client', figure: rate.bare, unit: 'changes/s' },
    { what: 'opcua sensor → sink', figure: rate.sensor, unit: 'samples/s' },
    { what: '  ratio', figure: rate.sensor / rate.bare, unit: '×', target: { atLeast: 0.7 } },
    { what: 'unit in need of repair to published plan, 200 job orders on 8 units', figure: replan, unit: 'ms', target: { atMost: 1000 } },
    { what: 'start of Node-RED with the reference flow', figure: start, unit: 's', target: { atMost: 5 } },
    { what: `resident memory after ${minutes} min of the reference flow at 60×`, figure: rss, unit: 'MB', target: { atMost: 350 } },
    { what: '  growth in the second half', figure: growth, unit: 'MB/h', target: { atMost: 60 }, note: 'flat: an hour adds less than a sixth' },
  ]
}
