import type { Patch } from './variant.ts'

/** What one case came to. */
export interface Outcome {
  /** Acknowledged to the sender (MQTT: PUBACK), or held by the server (OPC UA: values that a variable had). */
  readonly sent: number
  readonly lost: number
  readonly doubled: number
  /** Rules that an independent reader found broken: illegal states, quantities that do not add up, a chain that does not hold. */
  readonly violated?: number
  /** Telemetry: gaps that Takt declared, and lost messages that lie in none of them. Damaged files: tails that were named, and those that were not. */
  readonly gaps?: { readonly declared: number; readonly undeclared: number }
  readonly note?: string
}

export interface CaseContext {
  /** The palette as it is built, with the harness's sink. */
  readonly palette: string
  /** Builds (once) a palette with patches. */
  variant(name: string, patches: readonly Patch[]): Promise<string>
  /** Durations and repetitions: the issue's, or short ones. */
  readonly size: Size
}

export interface Size {
  readonly cutMs: number
  readonly blackHoleMs: number
  readonly kills: number
  readonly killsAtStep: number
  readonly redeploys: number
  readonly awayMs: number
  /** Order traffic: kills on each dialect, those of a real Node-RED among them, faults of the server, stops and how long each lasts, damaged files, steps of the clock. */
  readonly trafficKills: number
  readonly redKills: number
  readonly serverFaults: number
  readonly stops: number
  readonly stopMs: number
  readonly damages: number
  readonly clockSteps: number
}

export interface FaultCase {
  readonly name: string
  /** `named`: what is missing is named. `seeded`: a fault of our own making, which must be seen. */
  readonly promise: 'guaranteed' | 'telemetry' | 'named' | 'seeded'
  /** Why it cannot run on this machine; undefined where it can. */
  readonly missing?: string | undefined
  run(context: CaseContext): Promise<Outcome>
}

export const FULL: Size = {
  cutMs: 10_000,
  blackHoleMs: 60_000,
  kills: 100,
  killsAtStep: 5,
  redeploys: 50,
  awayMs: 10_000,
  trafficKills: 200,
  redKills: 10,
  serverFaults: 50,
  stops: 20,
  stopMs: 60_000,
  damages: 1000,
  clockSteps: 12,
}
export const QUICK: Size = {
  cutMs: 3000,
  blackHoleMs: 12_000,
  kills: 6,
  killsAtStep: 1,
  redeploys: 5,
  awayMs: 7000,
  trafficKills: 5,
  redKills: 1,
  serverFaults: 4,
  stops: 4,
  stopMs: 4000,
  damages: 60,
  clockSteps: 4,
}

export interface FaultRow {
  readonly name: string
  readonly promise: FaultCase['promise']
  readonly seconds: number
  readonly outcome?: Outcome
  /** Why there is no outcome: not measured here, or the case itself failed. */
  readonly missing?: string
  readonly failure?: string
}

/** `kept`, `BROKEN`, or why it is not known; a seeded fault is kept to its promise when it is seen. */
export function verdictOf({ promise, outcome, missing, failure }: FaultRow): 'kept' | 'BROKEN' | 'not measured' {
  if (missing !== undefined) return 'not measured'
  if (outcome === undefined || failure !== undefined || outcome.sent === 0) return 'BROKEN'
  const { lost, doubled, violated = 0, gaps } = outcome
  if (promise === 'seeded') return lost + doubled + violated + (gaps?.undeclared ?? 0) > 0 ? 'kept' : 'BROKEN'
  if (promise === 'guaranteed') return lost + doubled + violated === 0 ? 'kept' : 'BROKEN'
  if (promise === 'named' && doubled + violated > 0) return 'BROKEN'
  return gaps !== undefined && gaps.undeclared === 0 ? 'kept' : 'BROKEN'
}
