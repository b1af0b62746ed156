import { countingIds } from '../../core/base/id.ts'
import { AnomalyWatch } from '../../core/detect/anomaly-watch.ts'
import { GroupWatch } from '../../core/detect/group/group-watch.ts'
import { Making } from '../../core/detect/making.ts'
import { PrognosisWatch } from '../../core/detect/prognosis/prognosis-watch.ts'
import { RunningUnits } from '../../core/detect/running-units.ts'
import { selection } from '../../core/detect/selection.ts'
import type { Sample } from '../../core/messages/sample.ts'
import type { Plant } from '../../core/plant/plant.ts'
import { closedLoop } from '../../flows/closed-loop/closed-loop.ts'
import { type AnomalyFields, readSettings as readAnomaly } from '../../nodes/anomaly/settings.ts'
import { type GroupFields, readSettings as readGroup } from '../../nodes/anomaly-group/settings.ts'
import { readSettings as readPrognosis, targetOf } from '../../nodes/prognosis/settings.ts'
import type { Row } from '../support/table.ts'
import { healthyHours, type Shock, type UnitLife, unitLives, type Watcher } from '../support/unit-lives.ts'

const SEEDS = [31, 32] as const
const DAYS = 4
/** A failure that is seen later than that is of no use to a planner. */
const USEFUL_MS = 15 * 60_000
const WEEK_H = 168
/** A blow after three hours: less was learned than in a life of its own. */
const BLOW: Shock = { afterMs: 3 * 3_600_000, wear: 0.7 }

/** From when until when something said that a unit goes bad, epoch ms; to infinity while it stands. */
interface Said {
  readonly unit: string
  readonly from: number
  to: number
}

interface Heard {
  readonly anomaly: readonly Said[]
  readonly group: readonly Said[]
  readonly prognosis: readonly Said[]
}

interface Flow {
  readonly anomaly: AnomalyFields
  readonly group: GroupFields
  readonly prognosis: Record<string, never>
  readonly disruption: { readonly persistMs: number; readonly prognosisShare: number; readonly deadlineMs: { readonly low: number } }
}

/**
 * What the detectors of the reference flow, set as it sets them, say of machines that nobody repairs before they fail: how many failures are foreseen, how long before, and how often they are
 * wrong. Counted as the disruption node counts: an anomaly that stands for long enough, a prognosis that is near enough.
 */
export function livesRows(): readonly Row[] {
  const flow = flowOf()
  return [
    ...rowsOf('', flow, undefined, { foreseen: 95, wrong: 1 }),
    ...rowsOf(`, a blow after ${BLOW.afterMs / 3_600_000} h`, flow, BLOW, { foreseen: 95, wrong: undefined }),
  ]
}

function rowsOf(name: string, flow: Flow, shock: Shock | undefined, target: { readonly foreseen: number; readonly wrong: number | undefined }): Row[] {
  const runs = SEEDS.map((seed) => heardOf(seed, flow, shock))
  const lives = runs.reduce((sum, run) => sum + run.lives.filter(({ failed }) => failed !== undefined).length, 0)
  const weeks = runs.reduce((sum, run) => sum + healthyHours(run.lives, DAYS), 0) / WEEK_H
  const either = ({ anomaly, prognosis }: Heard): readonly Said[] => [...anomaly, ...prognosis]
  return (
    [
      ['anomaly or prognosis', either],
      ['anomaly alone', ({ anomaly }: Heard) => anomaly],
      ['prognosis alone', ({ prognosis }: Heard) => prognosis],
      ['a group of each unit alone', ({ group }: Heard) => group],
    ] as const
  ).flatMap(([what, of], index): Row[] => {
    // a group learns for longer than such a life lasts
    if (shock !== undefined && index === 3) return []
    const leads = runs.flatMap((run) => leadsOf(run.lives, of(run.heard))).sort((a, b) => a - b)
    const wrong = runs.reduce((sum, run) => sum + wrongOf(run.lives, of(run.heard)), 0) / weeks
    const share = (100 * leads.filter((lead) => lead >= USEFUL_MS).length) / lives
    const at = (part: number): string => ((leads[Math.floor(part * (leads.length - 1))] ?? 0) / 3_600_000).toFixed(1)
    const counts = index < 2 ? target : undefined
    return [
      {
        what: `simulated machines${name}: ${what}, failures foreseen 15 min before or more`,
        figure: share,
        unit: '%',
        ...(counts === undefined ? {} : { target: { atLeast: counts.foreseen } }),
        note: `${lives} failures; median ${at(0.5)} h before, one in twenty ${at(0.05)} h or less`,
      },
      {
        what: '  false alarms a unit and week',
        figure: wrong,
        unit: '',
        ...(counts?.wrong === undefined ? {} : { target: { atMost: counts.wrong } }),
        note: `${weeks.toFixed(1)} unit-weeks before any wear could be felt, products changing all the time`,
      },
    ]
  })
}

function flowOf(): Flow {
  const nodes = closedLoop()
  const of = (type: string): never => nodes.find((node) => node.type === type) as never
  return { anomaly: of('takt-anomaly'), group: of('takt-anomaly-group'), prognosis: of('takt-prognosis'), disruption: of('takt-disruption') }
}

/** Of each failed life how long before its failure it was first said that the unit goes bad, ms; lives of which nothing was said have none. */
function leadsOf(lives: readonly UnitLife[], said: readonly Said[]): number[] {
  return lives.flatMap(({ unit, from, felt, failed }) => {
    if (failed === undefined || felt === undefined) return []
    const times = said.filter((one) => one.unit === unit && one.from >= from && one.from < failed && one.to > felt).map((one) => Math.max(one.from, felt))
    return times.length === 0 ? [] : [failed - Math.min(...times)]
  })
}

function wrongOf(lives: readonly UnitLife[], said: readonly Said[]): number {
  return said.filter(({ unit, from }) =>
    lives.some((life) => life.unit === unit && from >= life.from && from < (life.felt ?? life.failed ?? Number.POSITIVE_INFINITY)),
  ).length
}

function heardOf(seed: number, flow: Flow, shock: Shock | undefined): { readonly lives: readonly UnitLife[]; readonly heard: Heard } {
  const heard = { anomaly: [] as Said[], group: [] as Said[], prognosis: [] as Said[] }
  const lives = unitLives(seed, DAYS, (plant) => watcherOf(plant, flow, heard), shock)
  const { persistMs } = flow.disruption
  // what clears before it counts is no alarm; what counts does so from then on
  const standing = (said: readonly Said[]): Said[] =>
    said.filter(({ from, to }) => to - from >= persistMs).map((one) => ({ ...one, from: one.from + persistMs }))
  return { lives, heard: { anomaly: standing(heard.anomaly), group: standing(heard.group), prognosis: heard.prognosis } }
}

function watcherOf(plant: Plant, flow: Flow, heard: { readonly anomaly: Said[]; readonly group: Said[]; readonly prognosis: Said[] }): Watcher {
  const ids = countingIds()
  const settings = readAnomaly(flow.anomaly, true, 'bench')
  const running = new RunningUnits(settings.judgeOnlyIn, settings.settleMs)
  const making = new Making(settings.context, running)
  const watch = new AnomalyWatch({ ...settings, running, making, ids, select: selection(settings, () => plant), forgotten: () => {} })
  const { learnFor, ...group } = readGroup(flow.group, 'bench')
  const groups = new Map(
    plant.units.map(({ id }) => {
      const topics = plant.signalsOf(id).flatMap(({ name, role }) => (role === 'condition' ? `${id}/${name}` : []))
      return [id, new GroupWatch({ ...group, equipment: id, topics, learnFor: learnFor(topics.length), running, ids })] as const
    }),
  )
  const target = readPrognosis(flow.prognosis, true, 'bench')
  const prognoses = new PrognosisWatch({ maxSignals: 1000, running, select: targetOf(target, () => plant), forgotten: () => {} })
  const open = { anomaly: new Map<string, Said>(), group: new Map<string, Said>(), prognosis: new Map<string, Said>() }
  const begin = (kind: keyof Heard, key: string, unit: string, from: number): void => {
    if (open[kind].has(key)) return
    const said = { unit, from, to: Number.POSITIVE_INFINITY }
    open[kind].set(key, said)
    heard[kind].push(said)
  }
  const end = (kind: keyof Heard, key: string, at: number): void => {
    const said = open[kind].get(key)
    if (said !== undefined) said.to = at
    open[kind].delete(key)
  }
  return {
    status({ unit: equipment, state, mode, time, job }) {
      running.told({ kind: 'machine-state', equipment, state, mode, since: time, element: null, reason: null, jobOrder: job || null, time })
    },
    condition({ unit, signal, value, time }) {
      const sample: Sample = { kind: 'sample', equipment: unit, signal, value, quality: 'good', time, received: time }
      const track = watch.trackOf(sample)
      for (const [kind, anomaly] of [
        ['anomaly', track === undefined ? undefined : watch.judge(track, sample)],
        ['group', groups.get(unit)?.take(sample)?.anomaly],
      ] as const) {
        if (anomaly?.state === 'raised') begin(kind, anomaly.id, unit, time)
        if (anomaly?.state === 'cleared') end(kind, anomaly.id, time)
      }
      const followed = prognoses.trackOf(sample)
      const prognosis = followed === undefined ? undefined : prognoses.take(followed, sample, value)
      if (prognosis === undefined) return
      const { deadlineMs, prognosisShare } = flow.disruption
      if (prognosis.remainingMs === null) end('prognosis', unit, time)
      else if (prognosisShare * prognosis.remainingMs.lower <= deadlineMs.low) begin('prognosis', unit, unit, time)
    },
    started(jobOrder, product, operation) {
      making.told({ kind: 'job-order', id: jobOrder, workOrder: `wo-${product}`, operation })
      making.told({ kind: 'work-order', id: `wo-${product}`, product })
    },
  }
}
