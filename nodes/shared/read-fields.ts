import { TaktError } from '../../core/base/error.ts'

/** A number in a dialog: a text or empty where nobody typed one. */
export type Field = string | number | undefined

/** Reads the fields of a dialog. What it refuses is a TAKT_CONFIG_INVALID that names the field. */
export interface FieldReader {
  invalid(what: string): TaktError
  /** Undefined when the field is empty. */
  optional(value: Field, what: string): number | undefined
  number(value: Field, what: string, fallback: number, lowest: number, highest: number): number
  /** What the chosen word stands for. */
  choice<T>(value: string | undefined, what: string, fallback: string, choices: Readonly<Record<string, T>>): T
  /** Words by commas or lines, each of which must be allowed. */
  words(value: string | undefined, what: string, allowed: readonly string[]): readonly string[]
}

export function readFields(where: string): FieldReader {
  const invalid = (what: string): TaktError => new TaktError('TAKT_CONFIG_INVALID', { what, where })
  const optional: FieldReader['optional'] = (value, what) => {
    if (!isGiven(value)) return undefined
    const number = Number(value)
    if (!Number.isFinite(number)) throw invalid(`${what} is '${value}' where a number is taken`)
    return number
  }
  return {
    invalid,
    optional,
    number(value, what, fallback, lowest, highest) {
      const number = optional(value, what) ?? fallback
      if (number < lowest || number > highest) throw invalid(`${what} is ${number} where ${lowest} to ${highest} is taken`)
      return number
    },
    choice(value, what, fallback, choices) {
      const word = value || fallback
      const chosen = Object.hasOwn(choices, word) ? choices[word] : undefined
      if (chosen === undefined) throw invalid(`${what} is '${word}' where one of ${Object.keys(choices).filter(Boolean).join(', ')} is taken`)
      return chosen
    },
    words(value, what, allowed) {
      const list = listOf(value)
      for (const word of list) if (!allowed.includes(word)) throw invalid(`${what} '${word}' is none of ${allowed.join(', ')}`)
      return list
    },
  }
}

export function isGiven(value: Field): boolean {
  return value !== undefined && value !== null && value !== ''
}

/** Parts of a text, by commas or lines. */
export function listOf(value: string | undefined): readonly string[] {
  return (value ?? '')
    .split(/[,\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

/** Each word stands for itself. */
export function ofWords<const T extends string>(words: readonly T[]): Readonly<Record<string, T>> {
  return Object.fromEntries(words.map((word) => [word, word])) as Record<string, T>
}
