/**
 * Parts made between two readings of a running total. A total that falls has rolled over or was reset: with a known `rollover` (the value at which it
 * starts again at 0) it is a rollover when that explains the step with at most half the range, else a reset, after which it began again at 0.
 *
 * Never negative, and never less for a reading in between: counting is safe however many readings were missed.
 */
export function countStep(from: number, to: number, rollover: number | undefined): number {
  if (to >= from) return to - from
  if (rollover !== undefined && from < rollover) {
    const through = to - from + rollover
    if (through <= rollover / 2) return through
  }
  return to
}
