import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { packageRoot } from '../../core/base/package-root.ts'
import type { StatusPublication } from '../../core/simulate/happenings.ts'
import type { LedgerTotals } from '../../core/simulate/ledger.ts'

export interface PlantProcessOptions {
  readonly seed: number
  /** plant seconds per real second */
  readonly speed: number
  /** plant time at the start, epoch ms */
  readonly start: number
  readonly wornUnit: string
  readonly wornAt: number
  readonly ordersPerHour: number
  readonly ordersAhead: number
  /** 0 takes a free one; without an OPC UA server (null) it starts faster, and those units are silent */
  readonly mqttPort: number
  readonly opcuaPort: number | null
  /** state, ledger and keys; a plant started on the folder of another continues it */
  readonly folder: string
  /** the reference plant unless named */
  readonly plantFile?: string
}

export type Request = { readonly number: number } & (
  | { readonly op: 'break' | 'spoil'; readonly unit: string; readonly value: number }
  | { readonly op: 'ledger' | 'present' | 'cpu' | 'pause' }
)

export interface PlantProcess {
  readonly mqttUrl: string
  /** empty without a server */
  readonly opcuaUrl: string
  /** for the field `clock` of a plant node: `<plant ms>@<real ms>x<rate>` */
  readonly clock: string
  readonly folder: string
  readonly options: PlantProcessOptions
  /** what was really made, and what happened to the machines */
  ledger(): Promise<LedgerTotals>
  /** what every unit says of itself, its lifetime counters among it */
  present(): Promise<StatusPublication[]>
  /** wears a unit to near its end (0.8), or to what is given */
  break(unit: string, wear?: number): Promise<void>
  /** the unit's next parts will be out of specification; only the gauge can tell */
  spoil(unit: string, parts: number): Promise<void>
  /** stops plant time, for good: nothing more is made */
  pause(): Promise<void>
  cpu(): Promise<{ user: number; system: number; rss: number; now: number }>
  /** as the power would go; start it again with `startPlant(plant.again)` */
  kill(): Promise<void>
  /** options to continue this plant: same folder, same ports */
  readonly again: PlantProcessOptions
  /** ends it, and removes its folder unless told to keep it */
  stop(keep?: boolean): Promise<void>
}

export const DEFAULTS: Omit<PlantProcessOptions, 'folder'> = {
  seed: 7,
  speed: 60,
  start: Date.UTC(2026, 0, 12, 5),
  wornUnit: 'mill-2',
  wornAt: 0.68,
  ordersPerHour: 2,
  ordersAhead: 6,
  mqttPort: 0,
  opcuaPort: 0,
}

/** Starts the simulated plant in a process of its own; resolves when its broker and its OPC UA server can be reached. */
export async function startPlant(given: Partial<PlantProcessOptions> = {}): Promise<PlantProcess> {
  const folder = given.folder ?? mkdtempSync(join(tmpdir(), 'takt-plant-'))
  const options: PlantProcessOptions = { ...DEFAULTS, ...given, folder }
  const child = spawn(process.execPath, [join(packageRoot, 'test', 'plant', 'plant-process.ts'), JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  const lines = new Lines(child)
  const ready = await lines.ready
  const port = (url: string): number => Number(new URL(url).port)
  return {
    ...ready,
    folder,
    options,
    ledger: () => lines.ask({ op: 'ledger' }),
    present: () => lines.ask({ op: 'present' }),
    break: (unit, wear = 0.8) => lines.ask({ op: 'break', unit, value: wear }),
    spoil: (unit, parts) => lines.ask({ op: 'spoil', unit, value: parts }),
    pause: () => lines.ask({ op: 'pause' }),
    cpu: () => lines.ask({ op: 'cpu' }),
    kill: () => ended(child, () => child.kill('SIGKILL')),
    again: { ...options, mqttPort: port(ready.mqttUrl), opcuaPort: ready.opcuaUrl === '' ? null : port(ready.opcuaUrl) },
    async stop(keep = false) {
      await ended(child, () => child.stdin.end())
      if (!keep) rmSync(folder, { recursive: true, force: true })
    },
  }
}

type Ready = Pick<PlantProcess, 'mqttUrl' | 'opcuaUrl' | 'clock'>
type Answer = { readonly reply: number; readonly value?: unknown; readonly error?: string }

/** The conversation over stdin and stdout. */
class Lines {
  readonly ready: Promise<Ready>
  readonly #child: ChildProcess
  readonly #asked = new Map<number, { resolve(value: never): void; reject(error: Error): void }>()
  #errors = ''
  #next = 1

  constructor(child: ChildProcess) {
    this.#child = child
    child.stderr?.on('data', (data) => (this.#errors += data))
    this.ready = new Promise((resolve, reject) => {
      child.once('exit', (code, signal) => {
        const error = new Error(`the plant process ended (${code ?? signal})\n${this.#errors}`)
        reject(error)
        for (const { reject } of this.#asked.values()) reject(error)
      })
      if (child.stdout === null) return reject(new Error('no stdout'))
      createInterface({ input: child.stdout }).on('line', (line) => {
        // libraries print too
        if (!line.startsWith('{')) return
        const message = JSON.parse(line) as Answer | (Ready & { ready: true })
        if ('ready' in message) return resolve(message)
        const asked = this.#asked.get(message.reply)
        this.#asked.delete(message.reply)
        if (message.error === undefined) asked?.resolve(message.value as never)
        else asked?.reject(new Error(message.error))
      })
    })
  }

  ask<T>(request: Record<string, unknown>): Promise<T> {
    const number = this.#next++
    return new Promise<T>((resolve, reject) => {
      this.#asked.set(number, { resolve: resolve as (value: never) => void, reject })
      this.#child.stdin?.write(`${JSON.stringify({ ...request, number })}\n`)
    })
  }
}

async function ended(child: ChildProcess, end: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  end()
  await exit
}
