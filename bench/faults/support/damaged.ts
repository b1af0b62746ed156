import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'

/** What became of a database that was opened with a damaged log. */
export interface OpenedDamaged {
  readonly warnings: readonly string[]
  /** It was opened and written: what verifying it said. */
  readonly ok?: boolean
  readonly fault?: { readonly sequence: number; readonly what: string } | null
  /** Or why it was not. */
  readonly code?: string
  readonly message?: string
}

/** The files of a database whose process was killed. */
const PARTS = ['', '-wal', '.anchor'] as const

export function copyDatabase(from: string, to: string): void {
  for (const part of PARTS) if (existsSync(from + part)) copyFileSync(from + part, to + part)
}

export const DAMAGES = ['cut', 'zeroed', 'flipped'] as const
export type Damage = (typeof DAMAGES)[number]

const LONGEST_HOLE = 65_536
const BITS_AT_MOST = 8

/** Damages a file in one of three ways at a place that the random numbers say. */
export function damage(file: string, how: Damage, random: () => number): void {
  const bytes = readFileSync(file)
  const place = (): number => Math.floor(random() * bytes.length)
  if (how === 'cut') return writeFileSync(file, bytes.subarray(0, place()))
  if (how === 'zeroed') {
    const from = place()
    bytes.fill(0, from, Math.min(bytes.length, from + 1 + Math.floor(random() * LONGEST_HOLE)))
  } else {
    for (let bits = 1 + Math.floor(random() * BITS_AT_MOST); bits > 0; bits--) {
      const at = place()
      bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8))
    }
  }
  writeFileSync(file, bytes)
}

/** A process that opens one damaged database after the other; a new one where it crashed or hung. */
export class Opener {
  readonly #palette: string
  #child: ChildProcess | undefined
  #lines: Interface | undefined

  constructor(palette: string) {
    this.#palette = palette
  }

  /** Undefined where it crashed, or gave no answer in time. */
  async open(file: string, timeoutMs: number): Promise<OpenedDamaged | undefined> {
    const child = this.#child ?? this.#start()
    const answer = new Promise<string | undefined>((resolve) => {
      this.#lines?.once('line', resolve)
      child.once('exit', () => resolve(undefined))
      setTimeout(() => resolve(undefined), timeoutMs).unref()
    })
    child.stdin?.write(`${file}\n`)
    const line = await answer
    child.removeAllListeners('exit')
    this.#lines?.removeAllListeners('line')
    if (line !== undefined) return JSON.parse(line) as OpenedDamaged
    this.close()
    return undefined
  }

  close(): void {
    this.#child?.kill('SIGKILL')
    this.#child = undefined
  }

  #start(): ChildProcess {
    const child = spawn(process.execPath, [join(this.#palette, 'dist', 'faults', 'open-damaged.js')], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
    })
    this.#child = child
    this.#lines = createInterface({ input: child.stdout as NonNullable<ChildProcess['stdout']> })
    return child
  }
}
