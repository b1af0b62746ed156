import { hash, randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { TaktError } from '../base/error.ts'

/** scrypt's cost (RFC 7914): memory is 128·N·r bytes, time grows with N·r·p. */
export interface ScryptCost {
  readonly N: number
  readonly r: number
  readonly p: number
}

/** 32 MiB and about a quarter of a second: what OWASP's password storage guide asks for where memory is shared with other work. */
export const DEFAULT_COST: ScryptCost = { N: 2 ** 15, r: 8, p: 3 }

const SALT_BYTES = 32
const KEY_BYTES = 32
/** Characters taken at most; a longer one would only cost time. */
export const PASSWORD_LONGEST = 256
/** At once: each needs memory and a thread of Node's pool, which others need too. */
const HASHING_AT_ONCE = 2
const WAITING_AT_MOST = 100

/** The stored record: `scrypt$N$r$p$salt$key`, salt and key base64. Takes no turn of the event loop. Throws TAKT_PEOPLE_BUSY. */
export async function hashPassword(password: string, cost: ScryptCost = DEFAULT_COST): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const key = await derive(password, salt, cost)
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64'), key.toString('base64')].join('$')
}

/** True when the password gives the record's key. Compares in constant time. Throws TAKT_PEOPLE_BUSY. */
export async function isPassword(password: string, record: string): Promise<boolean> {
  const [name, N, r, p, salt, key] = record.split('$')
  if (name !== 'scrypt' || salt === undefined || key === undefined) return false
  const expected = Buffer.from(key, 'base64')
  const given = await derive(password, Buffer.from(salt, 'base64'), { N: Number(N), r: Number(r), p: Number(p) })
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** Tells in the ledger whether a record was exchanged. The salt in it is 256 random bits, so that nothing can be tried against this. */
export function sealOf(record: string): string {
  return hash('sha256', record)
}

let running = 0
const waiting: Array<() => void> = []

async function derive(password: string, salt: Buffer, { N, r, p }: ScryptCost): Promise<Buffer> {
  if (waiting.length >= WAITING_AT_MOST) throw new TaktError('TAKT_PEOPLE_BUSY', { what: `${WAITING_AT_MOST} passwords wait to be checked`, where: 'sign in' })
  if (running >= HASHING_AT_ONCE) await new Promise<void>((turn) => waiting.push(turn))
  else running++
  try {
    const options: ScryptOptions = { N, r, p, maxmem: 256 * N * r }
    return await new Promise((resolve, reject) => {
      // the same characters may be typed as different code points
      scrypt(password.normalize('NFKC'), salt, KEY_BYTES, options, (error, key) => (error === null ? resolve(key) : reject(error)))
    })
  } finally {
    const next = waiting.shift()
    if (next === undefined) running--
    else next()
  }
}

export interface PasswordRules {
  /** characters */
  readonly shortest: number
}

const DIFFERENT_CHARACTERS = 5
const WORD_SHORTEST = 4

/** Refuses a password that is guessed too easily: short, of few characters, or with the person's own names in it. Throws TAKT_PASSWORD_RULES, without the password. */
export function checkPassword(password: unknown, { shortest }: PasswordRules, names: ReadonlyArray<string | null | undefined>): string {
  const refuse = (what: string): never => {
    throw new TaktError('TAKT_PASSWORD_RULES', { what, where: 'new password' })
  }
  if (typeof password !== 'string' || !password.isWellFormed() || password.includes('\0')) return refuse('it is not a text')
  const length = [...password].length
  if (length < shortest) return refuse(`it has ${length} characters where at least ${shortest} are needed`)
  if (password.length > PASSWORD_LONGEST) return refuse(`it has more than ${PASSWORD_LONGEST} characters`)
  if (new Set(password).size < DIFFERENT_CHARACTERS) return refuse(`it has fewer than ${DIFFERENT_CHARACTERS} different characters`)
  const lower = password.toLowerCase()
  const words = names.flatMap((name) => [name ?? '', ...(name ?? '').split(/[\s._-]+/)]).map((word) => word.toLowerCase())
  if (words.some((word) => word.length >= WORD_SHORTEST && lower.includes(word))) return refuse("it has the person's own name, id or badge in it")
  return password
}
