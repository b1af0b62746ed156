/**
 * Solves one `fjs1` instance: `node bench/schedule.ts instance.json seconds`, seed in the environment variable SEED. With BENCH_CLOCK=cpu the seconds are this
 * thread's CPU time, so that neighbours on a busy machine take nothing away (Node 23.9 or newer).
 * The last line printed is `{"ops":[{job, op, machine, start, end}, …]}`, the contract of the benchmark's runner and validator.
 */
import { readFileSync } from 'node:fs'
import { type Fjs1Instance, fromFjs1, toFjs1Rows } from '../core/schedule/fjs1.ts'
import { solve } from '../core/schedule/search.ts'

const [file, seconds = '1'] = process.argv.slice(2)
if (file === undefined) {
  console.error('usage: node bench/schedule.ts instance.json seconds')
  process.exit(2)
}
const begun = performance.now()
const instance = JSON.parse(readFileSync(file, 'utf8')) as Fjs1Instance
const schedule = solve(fromFjs1(instance), {
  timeMs: Number(seconds) * 1000,
  seed: Number(process.env.SEED ?? '1'),
  elapsedMs: process.env.BENCH_CLOCK === 'cpu' ? threadMs : () => performance.now(),
})
console.log(
  JSON.stringify({
    ops: toFjs1Rows(instance, schedule),
    time: (performance.now() - begun) / 1000,
    rssMB: Math.round(process.memoryUsage.rss() / 2 ** 20),
    info: `${schedule.evaluations} moves`,
  }),
)

function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
