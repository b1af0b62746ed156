/**
 * Quantities are kept to nine decimals: sums of decimal quantities, which floats cannot say exactly, stay what they are on paper (exact to nine million, and
 * beyond that as far as floats go). Two quantities nearer than this, or than this share of the larger one, are the same.
 */
export const TOLERANCE = 1e-9

const DECIMALS = 1e9

/** To nine decimals; a number too large for them stays as it is. */
export function kept(quantity: number): number {
  const scaled = Math.round(quantity * DECIMALS)
  return Number.isSafeInteger(scaled) ? scaled / DECIMALS : quantity
}

function toleranceOf(a: number, b: number): number {
  return TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b))
}

export function same(a: number, b: number): boolean {
  return Math.abs(a - b) <= toleranceOf(a, b)
}

/** Whether so much can be taken from what there is. */
export function suffices(available: number, wanted: number): boolean {
  return wanted <= available + toleranceOf(available, wanted)
}

/** What is left; never below nothing, and nothing where the difference is only that of floats. */
export function rest(available: number, taken: number): number {
  return same(available, taken) ? 0 : Math.max(0, kept(available - taken))
}

export function sum(a: number, b: number): number {
  return kept(a + b)
}
