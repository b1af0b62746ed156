import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TrafficOrder } from './traffic-order.ts'

const FINISH_MS = 180_000

/** One process with order traffic, which is killed, stopped and started again. */
export class Traffic {
  readonly #palette: string
  readonly #order: TrafficOrder
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  #told = 0
  #errors = ''
  #clockMs = 0
  #exit: number | null | undefined
  readonly refused = new Map<string, number>()
  /** What was refused and was no trouble of the store's: nothing of that may happen. */
  readonly wrong: string[] = []
  readonly #lines = new Map<string, number>()

  /** Whether it says that it leads. */
  leads = false

  constructor(palette: string, order: TrafficOrder) {
    this.#palette = palette
    this.#order = order
    // whoever stops the harness leaves nothing behind that works
    process.on('exit', () => this.#child?.kill('SIGKILL'))
  }

  get name(): string {
    return this.#order.name
  }

  /** How often it has said this. */
  said(line: string): number {
    return this.#lines.get(line) ?? 0
  }

  get running(): boolean {
    return this.#child !== undefined
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Commands of the present process that it was told are done. */
  get told(): number {
    return this.#told
  }

  start(change: Partial<TrafficOrder> = {}): void {
    this.#told = 0
    this.leads = false
    this.#errors = ''
    this.#exit = undefined
    const child = spawn(
      process.execPath,
      [join(this.#palette, 'dist', 'faults', 'order-traffic.js'), JSON.stringify({ ...this.#order, clockMs: this.#clockMs, ...change })],
      {
        stdio: ['pipe', 'pipe', 'pipe'],
        env: { ...process.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' },
      },
    )
    this.#child = child
    child.stderr.on('data', (data) => (this.#errors = (this.#errors + data).slice(-4000)))
    child.stdin.on('error', () => {})
    createInterface({ input: child.stdout }).on('line', (line) => this.#hear(line))
    this.#ended = once(child, 'exit').then(([code]) => {
      if (this.#child === child) this.#child = undefined
      this.#exit = code as number | null
    })
  }

  /** As the power would go. Throws where it had ended by itself. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined) throw new Error(`the traffic ended by itself (${this.#exit}): ${this.#errors}`)
    child.kill('SIGKILL')
    await this.#ended
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal)
  }

  ask(what: 'inside' | 'between'): void {
    this.#child?.stdin?.write(`${what}\n`)
  }

  /** The system's clock is so much off from now on, ms; also for those that are started later. */
  clock(ms: number): void {
    this.#clockMs = ms
    this.#child?.stdin?.write(`clock ${ms}\n`)
  }

  /** Has it come to the end of what is open, and waits for that. */
  async finish(): Promise<void> {
    this.start({ finish: true, leads: false })
    await this.ended()
  }

  async ended(): Promise<void> {
    const late = setTimeout(() => this.#child?.kill('SIGKILL'), FINISH_MS)
    await this.#ended
    clearTimeout(late)
    if (this.#exit !== 0) throw new Error(`the traffic did not come to its end (${this.#exit ?? `not in ${FINISH_MS / 1000} s`}): ${this.#errors}`)
  }

  /** Resolves when it was told that so many are done; rejects when it ends before. */
  async until(check: () => boolean, what: string, timeoutMs = 60_000): Promise<void> {
    const end = performance.now() + timeoutMs
    while (!check()) {
      if (this.#child === undefined) throw new Error(`the traffic ended by itself (${this.#exit}) before ${what}: ${this.#errors}`)
      if (performance.now() > end) throw new Error(`not within ${timeoutMs / 1000} s: ${what}; refused: ${this.refusals || 'nothing'}; ${this.#errors}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  get refusals(): string {
    return [...this.refused].map(([code, times]) => `${times} × ${code}`).join(', ')
  }

  #hear(line: string): void {
    if (line === 'told') this.#told++
    else if (line.startsWith('refused ')) {
      const [, code = ''] = line.split(' ')
      this.refused.set(code, (this.refused.get(code) ?? 0) + 1)
      if (!code.startsWith('TAKT_STORE_')) this.wrong.push(line)
    }
    if (line.startsWith('leads')) this.leads = line === 'leads'
    this.#lines.set(line, (this.#lines.get(line) ?? 0) + 1)
  }
}

/** Keys that some process was told are done. What a killed one wrote last may be cut off. */
export function toldIn(...logs: readonly string[]): Set<string> {
  const told = new Set<string>()
  for (const log of logs) {
    const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : []
    for (const line of lines) told.add(line)
  }
  return told
}
