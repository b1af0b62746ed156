import { availableParallelism, loadavg } from 'node:os'
import { anomalyToPlan } from '../measure/anomaly-to-plan.ts'
import { planningLoopDelay } from '../measure/planning-loop-delay.ts'
import { repairs } from '../measure/schedule-breakdowns.ts'
import { gapsOn, hasInstances, scheduleFolder } from '../measure/schedule-gaps.ts'
import { scale } from '../measure/schedule-scale.ts'
import type { Row } from '../support/table.ts'

/** Public sets, and the mean gap (weighted tardiness: the ratio of sums) that is asked for at 1 s and at 10 s. */
const SETS = [
  { set: 'jsp-la', what: 'job shop la01–20', gap: [0.15, 0.05] },
  { set: 'fjsp-mk', what: 'flexible, Brandimarte mk01–08', gap: [0.6, 0.2] },
  { set: 'fjsp-hurink-rdata', what: 'flexible, Hurink rdata', gap: [0.4, 0.2] },
  { set: 'fjsp-behnke', what: 'flexible, Behnke', gap: [3, 1.2] },
  { set: 'fjsp-sdst-hu', what: 'flexible with set-ups, sdst-hu', gap: [0.25, 0.05] },
  { set: 'jsp-twt', what: 'weighted tardiness', ratio: [1.04, 1.01] },
] as const

const SEEDS = Number(process.env.BENCH_SEEDS ?? 3)
/** Job orders that are planned while the event loop is watched. */
const SIZES = [200, 1000, 5000]

interface Section {
  readonly name: string
  readonly rows: () => Promise<readonly Row[]>
  /** Needs the public instances. */
  readonly onData?: boolean
}

/** `BENCH_ONLY=10s` and so on runs some sections; without it all but `10s`, which takes half an hour. */
const SECTIONS: readonly Section[] = [
  { name: '1s', rows: () => gapRows(1, 0), onData: true },
  { name: '10s', rows: () => gapRows(10, 1), onData: true },
  { name: 'breakdowns', rows: breakdownRows, onData: true },
  { name: 'scale', rows: scaleRows },
  { name: 'replan', rows: replanRows },
  { name: 'loop-delay', rows: loopDelayRows },
]

export async function run(): Promise<readonly Row[]> {
  const only = process.env.BENCH_ONLY?.split(',')
  const asked = SECTIONS.filter(({ name }) => (only === undefined ? name !== '10s' : only.includes(name)))
  if (asked.some(({ onData }) => onData) && !hasInstances()) {
    console.error(`There is no data in ${scheduleFolder}: set TAKT_BENCH_DATA to the folder that holds bench/schedule.`)
    process.exit(2)
  }
  const rows: Row[] = []
  for (const { rows: measure } of asked) rows.push(...(await measure()))
  return rows
}

/** In a Node-RED of its own, with everything between the two messages. Half of it is a search that wants a core to itself: the note says how many others want it too. */
async function replanRows(): Promise<readonly Row[]> {
  const { anomalies, jobs, p50, p95, max } = await anomalyToPlan()
  const waiting = Math.round(loadavg()[0] ?? 0)
  const what = `anomaly message → published re-plan, ${jobs} open job orders`
  return [
    { what: `${what}: p50`, figure: p50, unit: 'ms', note: `${anomalies} anomalies, each on another unit` },
    { what: `${what}: p95`, figure: p95, unit: 'ms', target: { atMost: 1200 }, note: `${waiting} runnable for ${availableParallelism()} cores` },
    { what: `${what}: max`, figure: max, unit: 'ms' },
  ]
}

/** What counts is how long the thread itself was busy at a stretch; by the clock it may be held up by whoever else uses the machine, as the idle loop beside it shows. */
async function loopDelayRows(): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const jobs of SIZES) {
    const { first, replan, idle, written } = await planningLoopDelay(jobs)
    const row = (what: string, { cpuMs, wallMs }: typeof first, note: string): Row => ({
      what: `${what} of ${jobs} job orders: event loop held up at most`,
      figure: cpuMs,
      unit: 'ms',
      target: { atMost: 20 },
      note: `${wallMs.toFixed(0)} ms by the clock${note}`,
    })
    rows.push(row('first plan', first, ''), row('re-plan', replan, `, an idle loop ${idle.wallMs.toFixed(0)} ms; ${written.toFixed(0)} job orders written`))
  }
  return rows
}

async function gapRows(seconds: number, at: 0 | 1): Promise<readonly Row[]> {
  const rows: Row[] = []
  let infeasible = 0
  let runs = 0
  for (const entry of SETS) {
    const gaps = await gapsOn(entry.set, seconds, SEEDS)
    infeasible += gaps.infeasible
    runs += gaps.runs
    const what = `${entry.what}, ${seconds} s`
    const note = `${gaps.runs} runs, ${SEEDS} seeds`
    if ('ratio' in entry) rows.push({ what: `${what}: sum over best known`, figure: gaps.ratio, unit: '×', target: { atMost: entry.ratio[at] }, note })
    else rows.push({ what: `${what}: mean gap`, figure: gaps.meanGap, unit: '%', target: { atMost: entry.gap[at] }, note })
  }
  return [...rows, { what: `infeasible by the independent validator, ${seconds} s`, figure: infeasible, unit: '', target: { atMost: 0 }, note: `of ${runs}` }]
}

async function breakdownRows(): Promise<readonly Row[]> {
  const { takt, affected, breakdowns } = await repairs(0.2)
  const ratio = (what: string, key: 'growth' | 'deviation' | 'moved', target: number): Row => ({
    what: `breakdowns, 0.2 s: ${what}, over repair of affected operations`,
    figure: takt[key] / affected[key],
    unit: '×',
    target: { atMost: target },
    note: `${takt[key].toFixed(1)} % against ${affected[key].toFixed(1)} %`,
  })
  return [
    ratio('growth of the makespan', 'growth', 0.6),
    ratio('start deviation', 'deviation', 0.45),
    ratio('operations moved', 'moved', 0.85),
    { what: 'breakdowns, 0.2 s: operations on another machine', figure: takt.reassigned, unit: '%', target: { atMost: 8 }, note: `${breakdowns} breakdowns` },
    { what: 'breakdowns: infeasible', figure: takt.infeasible, unit: '', target: { atMost: 0 } },
  ]
}

async function scaleRows(): Promise<readonly Row[]> {
  const plant = scale(50, 1000, 5, 1)
  const large = scale(100, 20_000, 5, 10)
  const better = plant.rule === null ? Number.NaN : 100 * (1 - plant.plan / plant.rule)
  const what = '50 units × 1,000 jobs × 5 operations'
  return [
    { what: `${what}: first feasible plan`, figure: plant.firstMs, unit: 'ms', target: { atMost: 200 } },
    { what: `${what}: plan after 1 s, better than the best dispatch rule`, figure: better, unit: '%', target: { atLeast: 10 } },
    { what: `${what}: memory`, figure: plant.residentMb, unit: 'MB', target: { atMost: 300 } },
    { what: `${large.operations} operations: first feasible plan`, figure: large.firstMs, unit: 'ms' },
    { what: `${large.operations} operations: memory`, figure: large.residentMb, unit: 'MB' },
  ]
}
