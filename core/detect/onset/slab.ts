/**
 * The memory of one signal, in two arrays that its parts share out among themselves: writing it down and reading it back is one step, exact to the last bit,
 * and nothing is forgotten. Float32 for what there is much of, Float64 for counts, sums and times.
 */
export class Slab {
  readonly #singles: Float32Array
  readonly #doubles: Float64Array
  #singlesTaken = 0
  #doublesTaken = 0

  constructor(singles: number, doubles: number) {
    this.#singles = new Float32Array(singles)
    this.#doubles = new Float64Array(doubles)
  }

  singles(length: number): Float32Array {
    const from = this.#singlesTaken
    if (from + length > this.#singles.length) throw new RangeError('the slab has too few singles')
    this.#singlesTaken += length
    return this.#singles.subarray(from, this.#singlesTaken)
  }

  doubles(length: number): Float64Array {
    const from = this.#doublesTaken
    if (from + length > this.#doubles.length) throw new RangeError('the slab has too few doubles')
    this.#doublesTaken += length
    return this.#doubles.subarray(from, this.#doublesTaken)
  }

  get bytes(): number {
    return this.#singles.byteLength + this.#doubles.byteLength
  }

  /** Both arrays in base64; zeros at the end are left out. */
  write(): { singles: string; doubles: string } {
    return { singles: written(this.#singles), doubles: written(this.#doubles) }
  }

  /** False, and nothing is taken over, when it is not what a slab of this size has written. */
  read(singles: unknown, doubles: unknown): boolean {
    const wide = bytesOf(singles, this.#singles)
    const exact = bytesOf(doubles, this.#doubles)
    if (wide === undefined || exact === undefined) return false
    new Uint8Array(this.#singles.buffer).fill(0).set(wide)
    new Uint8Array(this.#doubles.buffer).fill(0).set(exact)
    if (areFinite(this.#singles) && areFinite(this.#doubles)) return true
    this.#singles.fill(0)
    this.#doubles.fill(0)
    return false
  }
}

type Numbers = Float32Array | Float64Array

function areFinite(numbers: Numbers): boolean {
  for (let at = 0; at < numbers.length; at++) if (!Number.isFinite(numbers[at])) return false
  return true
}

function written(numbers: Numbers): string {
  let length = numbers.length
  while (length > 0 && numbers[length - 1] === 0) length--
  return Buffer.from(numbers.buffer, 0, length * numbers.BYTES_PER_ELEMENT).toString('base64')
}

function bytesOf(text: unknown, numbers: Numbers): Uint8Array | undefined {
  if (typeof text !== 'string') return undefined
  const bytes = Buffer.from(text, 'base64')
  return bytes.length <= numbers.byteLength && bytes.length % numbers.BYTES_PER_ELEMENT === 0 ? bytes : undefined
}
