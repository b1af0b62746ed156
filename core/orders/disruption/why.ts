import type { Anomaly, Evidence } from '../../messages/anomaly.ts'
import type { Prognosis } from '../../messages/prognosis.ts'
import type { Plant } from '../../plant/plant.ts'

/** Sentences that tell people with numbers why something should be done. */

/** `spindle.vibration of mill-2 is 5.9 mm/s against 2.2–4 expected, for 12 min (score 0.97, severity high)`. */
export function whyOfAnomaly(anomaly: Anomaly, plant: Plant): string {
  const { equipment, signals, evidence, since, time, score, severity } = anomaly
  const unit = plant.signalsOf(equipment).find((signal) => signal.name === signals[0])?.unit
  const numbers =
    evidence.map((piece) => numbersOf(piece, unit)).find((text) => text !== undefined) ?? evidence.find((piece) => piece.text)?.text ?? 'behaves unusually'
  return `${signals.join(', ')} of ${plant.nameOf(equipment)} ${numbers}, for ${spanText(time - since)} (score ${round(score)}, severity ${severity})`
}

/** `mill-2 will probably reach its limit of spindle.wear in 6 h, with 90 % confidence not before 4 h and not after 8.3 h`. */
export function whyOfPrognosis(
  { equipment, indicator }: Pick<Prognosis, 'equipment' | 'indicator'>,
  remainingMs: NonNullable<Prognosis['remainingMs']>,
  plant: Plant,
): string {
  const { median, lower, upper, confidence } = remainingMs
  const between = `with ${round(confidence * 100)} % confidence not before ${spanText(lower)} and not after ${spanText(upper)}`
  return `${plant.nameOf(equipment)} will probably reach its limit of ${indicator} in ${spanText(median)}, ${between}`
}

/** `14:40`, with the date when it is another day; local time of the plant. */
export function clockText(time: number, now: number, plant: Plant): string {
  const format = (options: Intl.DateTimeFormatOptions, at: number): string =>
    new Intl.DateTimeFormat('en-GB', { ...options, timeZone: plant.timeZone }).format(at)
  const day: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short' }
  const clock = format({ hour: '2-digit', minute: '2-digit' }, time)
  return format(day, time) === format(day, now) ? clock : `${format(day, time)} ${clock}`
}

export function spanText(ms: number): string {
  const minutes = Math.max(0, ms) / 60_000
  if (minutes < 1) return `${Math.round(minutes * 60)} s`
  if (minutes < 100) return `${Math.round(minutes)} min`
  return minutes < 48 * 60 ? `${round(minutes / 60)} h` : `${round(minutes / 60 / 24)} days`
}

function numbersOf({ value, expected, lower, upper }: Evidence, unit: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const measure = unit === undefined ? '' : ` ${unit}`
  const is = `is ${round(value)}${measure}`
  if (lower !== undefined && upper !== undefined) return `${is} against ${round(lower)}–${round(upper)} expected`
  if (upper !== undefined && value > upper) return `${is}, above ${round(upper)}`
  if (lower !== undefined && value < lower) return `${is}, below ${round(lower)}`
  return expected === undefined ? is : `${is} against ${round(expected)} expected`
}

/** Three digits that matter. */
function round(value: number): string {
  return String(Number(value.toPrecision(3)))
}
