import { detectCost } from '../measure/detect-cost.ts'
import { groupRows } from '../measure/group-cost.ts'
import { groupFalseAlarmRows } from '../measure/group-false-alarms.ts'
import { livesRows } from '../measure/lives.ts'
import { hasNab, nabFolder, scoreOnNab } from '../measure/nab.ts'
import { prognosisRows } from '../measure/prognosis.ts'
import { shapeRows } from '../measure/shape-anomalies.ts'
import type { Row } from '../support/table.ts'

const NAIVE = [
  { name: 'every-600', what: 'an alarm every 600 rows, whatever the data' },
  { name: 'gaussian', what: 'windowed Gaussian' },
  { name: 'range', what: 'beyond all seen before' },
] as const

/** `auto` on the Numenta Anomaly Benchmark, beside what anybody could write in ten minutes, and what it costs. */
export async function run(): Promise<readonly Row[]> {
  if (!hasNab()) {
    console.error(`There is no data in ${nabFolder}: set TAKT_BENCH_DATA to the folder that holds bench/nab.`)
    process.exit(2)
  }
  const { profiles, files, rows, microsARow } = scoreOnNab('bench/detect.ts')
  const { standard } = profiles
  const naive = NAIVE.flatMap(({ name, what }): Row[] => {
    const { standard: of } = scoreOnNab('bench/support/naive-detector.ts', name).profiles
    return [
      { what: `${what}, standard`, figure: of.score, unit: '' },
      { what: `${what}, standard at 0.5`, figure: of.fixed, unit: '' },
    ]
  })
  const { micros, manyMicros, signals, megabytes, stateBytes } = detectCost()
  const found = `${standard.found} of ${standard.windows} windows, ${standard.falsePositives} false rows of ${rows}`
  return [
    { what: 'NAB, standard', figure: standard.score, unit: '', target: { atLeast: 76 }, note: `${files} files; ${found}` },
    { what: 'NAB, standard at 0.5', figure: standard.fixed, unit: '', target: { atLeast: 73 }, note: 'nothing set by hand' },
    { what: 'NAB, low FP', figure: profiles['low FP'].score, unit: '' },
    { what: 'NAB, low FN', figure: profiles['low FN'].score, unit: '' },
    ...naive,
    { what: 'a row of NAB, start of the process included', figure: microsARow, unit: 'µs' },
    { what: 'a sample, one signal', figure: micros, unit: 'µs', target: { atMost: 8 } },
    { what: `a sample, ${signals} signals`, figure: manyMicros, unit: 'µs' },
    { what: 'state of a signal, written', figure: stateBytes / 1024, unit: 'KB', target: { atMost: 64 } },
    { what: `memory of ${signals} signals`, figure: megabytes, unit: 'MB' },
    ...(await shapeRows()),
    ...(await groupRows()),
    ...groupFalseAlarmRows(),
    ...(await prognosisRows()),
    ...livesRows(),
  ]
}
