import { openWindows } from './calendar.ts'
import { readTime } from './moment.ts'
import type { Plant } from './plant.ts'
import type { Away, PersonnelClass, Tool } from './resources.ts'

/** So many are not there, from epoch ms to epoch ms; `to` may be `Infinity`. */
export interface Absence {
  readonly from: number
  readonly to: number
  readonly count: number
}

/** How many there are at most, and when there are fewer: in order, without overlaps. Before `from` and after `to` of the question nothing is said. */
export interface CapacityOverTime {
  readonly most: number
  readonly reduced: readonly { readonly from: number; readonly to: number; readonly capacity: number }[]
}

/** People or tools of one kind between two times: by shifts, by what the plant model says is away, and by `away` besides. Never below 0. */
export function capacityOf(resource: PersonnelClass | Tool, plant: Plant, from: number, to: number, away: readonly Absence[] = []): CapacityOverTime {
  const steps: { at: number; by: number }[] = []
  const span = (begin: number, end: number, by: number): void => {
    if (by === 0 || !(end > begin)) return
    steps.push({ at: Math.max(begin, from), by }, { at: Math.min(end, to), by: -by })
  }
  if ('count' in resource) span(from, to, resource.count)
  else addPeople(resource, plant, from, to, span)
  for (const gone of [...absencesOf(resource, plant.timeZone), ...away]) if (gone.to > from && gone.from < to) span(gone.from, gone.to, -gone.count)
  steps.sort((a, b) => a.at - b.at)

  const levels: { from: number; to: number; capacity: number }[] = []
  let sum = 0
  for (let index = 0, at = from; at < to; ) {
    for (; index < steps.length && (steps[index]?.at ?? to) <= at; index++) sum += steps[index]?.by ?? 0
    const until = steps[index]?.at ?? to
    const capacity = Math.max(0, sum)
    const last = levels.at(-1)
    if (last?.capacity === capacity) last.to = until
    else if (until > at) levels.push({ from: at, to: until, capacity })
    at = until
  }
  const most = levels.reduce((highest, level) => Math.max(highest, level.capacity), 0)
  return { most, reduced: levels.filter((level) => level.capacity < most) }
}

function addPeople(
  { people, calendar: name }: PersonnelClass,
  plant: Plant,
  from: number,
  to: number,
  span: (from: number, to: number, by: number) => void,
): void {
  const calendar = name === undefined ? undefined : plant.model.calendars?.[name]
  if (calendar === undefined) return span(from, to, typeof people === 'number' ? people : 0)
  let open = from
  for (const window of openWindows(calendar, plant.timeZone, from, to)) {
    if (typeof people === 'object') span(window.from, window.to, people[window.shift ?? ''] ?? 0)
    // shifts that overlap are the same people
    else {
      span(Math.max(open, window.from), window.to, people)
      open = Math.max(open, window.to)
    }
  }
}

/** What the model says is away, in epoch ms. */
export function absencesOf({ away = [] }: { readonly away?: readonly Away[] | undefined }, timeZone: string): readonly Absence[] {
  return away.flatMap(({ from, to, count = 1 }) => {
    const begin = readTime(from, timeZone)
    const end = to === undefined ? Number.POSITIVE_INFINITY : readTime(to, timeZone)
    return begin === undefined || end === undefined ? [] : [{ from: begin, to: end, count }]
  })
}

/** The most that there ever are by the model alone, whatever is away. */
export function nominalCapacity(resource: PersonnelClass | Tool): number {
  if ('count' in resource) return resource.count
  // overlapping shifts may add up
  return typeof resource.people === 'number' ? resource.people : Object.values(resource.people).reduce((sum, people) => sum + people, 0)
}
