import type { Placement, Schedule } from './problem.ts'

/** A schedule on its way from a thread: four numbers an operation (unit, start, end, set-up) in memory that is handed over instead of copied. */
export interface PackedSchedule extends Omit<Schedule, 'placements'> {
  readonly placements: Float64Array<ArrayBuffer>
}

const FIELDS = 4

export function packSchedule({ placements, ...rest }: Schedule): PackedSchedule {
  const packed = new Float64Array(FIELDS * placements.length)
  placements.forEach(({ unit, start, end, setup }, index) => {
    packed.set([unit, start, end, setup], FIELDS * index)
  })
  return { ...rest, placements: packed }
}

export function unpackSchedule({ placements: packed, ...rest }: PackedSchedule): Schedule {
  const placements: Placement[] = []
  for (let at = 0; at < packed.length; at += FIELDS)
    placements.push({ unit: packed[at] as number, start: packed[at + 1] as number, end: packed[at + 2] as number, setup: packed[at + 3] as number })
  return { ...rest, placements }
}
