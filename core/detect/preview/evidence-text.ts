import type { Evidence } from '../../messages/anomaly.ts'

/** Why a detector spoke, a line a source: `level 5.9 against 2.2–4`. */
export function evidenceText(evidence: readonly Evidence[]): string[] {
  return evidence.map((piece) => [numbersOf(piece), piece.text].filter((part) => part !== undefined).join(': '))
}

function numbersOf({ source, value, expected, lower, upper }: Evidence): string {
  if (value === undefined) return source
  const is = `${source} ${short(value)}`
  if (lower !== undefined && upper !== undefined) return `${is} against ${short(lower)}–${short(upper)}`
  if (upper !== undefined) return `${is} against ${short(upper)} at most`
  if (lower !== undefined) return `${is} against ${short(lower)} at least`
  return expected === undefined ? is : `${is} against ${short(expected)}`
}

/** Three digits that matter. */
function short(value: number): string {
  return String(Number(value.toPrecision(3)))
}
