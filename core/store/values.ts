import { TaktError } from '../base/error.ts'

/** What a column can hold. Booleans and undefined are refused: databases differ in what they make of them. */
export type SqlValue = string | number | null | Uint8Array

const SAFE = Number.MAX_SAFE_INTEGER

/**
 * A parameter on its way to the database. Refuses what node:sqlite would alter without a word (NaN becomes NULL, a NUL cuts a string,
 * a lone surrogate becomes another character, whole numbers over 2^53 cannot be read back) or throw at without a place.
 */
export function toSqlValue(value: unknown, where: string): SqlValue {
  switch (typeof value) {
    case 'string':
      if (value.includes('\0')) throw refused('a text with a NUL character', where)
      if (!value.isWellFormed()) throw refused('a text that is not valid Unicode', where)
      return value
    case 'number':
      if (!Number.isFinite(value)) throw refused(String(value), where)
      if (Number.isInteger(value) && Math.abs(value) > SAFE) throw refused(`${value}, a whole number over 2^53,`, where)
      return value
    case 'bigint':
      if (value > SAFE || value < -SAFE) throw refused(`${value}, a whole number over 2^53,`, where)
      return Number(value)
    default:
      if (value === null || value instanceof Uint8Array) return value
      throw refused(value === undefined ? 'undefined' : `a ${typeof value}`, where)
  }
}

/** A value as JSON text that gives the same value back; numbers that JSON cannot say are refused instead of becoming null. */
export function toStoredJson(value: unknown, where: string): string {
  assertJson(value, where, '')
  return JSON.stringify(value)
}

function assertJson(value: unknown, where: string, path: string): void {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refused(`${value} at ${path || '/'}`, where)
  } else if (typeof value === 'object') {
    if (value === null) return
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) {
        if (value[i] === undefined) throw refused(`undefined at ${path}/${i}`, where)
        assertJson(value[i], where, `${path}/${i}`)
      }
    } else for (const key in value) assertJson((value as Record<string, unknown>)[key], where, `${path}/${key}`)
  } else if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol') {
    throw refused(`a ${typeof value} at ${path || '/'}`, where)
  } else if (value === undefined && path === '') {
    throw refused('undefined', where)
  }
}

function refused(what: string, where: string): TaktError {
  return new TaktError('TAKT_STORE_VALUE', { what: `${what} cannot be stored exactly`, where })
}

/** Text from outside, made storable: for excerpts of messages that may be anything. */
export function toStorableText(text: string): string {
  return text.replaceAll('\0', '\uFFFD').toWellFormed()
}
