import type { LifetimeBelief } from '../../../../core/schedule/lookahead/lifetime.ts'
import { type LogNormalBelief, typicalLogNormal } from '../../../../core/schedule/lookahead/log-normal.ts'
import type { LookaheadInput, LookaheadOperation, LookaheadUnit } from '../../../../core/schedule/lookahead/lookahead-input.ts'

/** So sure that it is a fact. */
export const SURE = 1e12

export const exactly = (typical: number, deviation = 0): LogNormalBelief => typicalLogNormal(typical, deviation, SURE, SURE)

/** Fails by chance alone, after `meanMs` of work in the mean. */
export const byChance = (meanMs: number): LifetimeBelief => ({ unitMs: meanMs, candidates: [{ shape: 1, weight: 1, rateShape: SURE, rateScale: SURE }] })

export const NEVER_FAILS = byChance(1e15)

export function unit(overrides: Partial<LookaheadUnit> = {}): LookaheadUnit {
  return { id: 'u', closed: [], lifetime: NEVER_FAILS, ageMs: 0, repair: exactly(1), ratio: exactly(1), ...overrides }
}

export function operation(overrides: Partial<LookaheadOperation> = {}): LookaheadOperation {
  const start = overrides.start ?? 0
  const workMs = overrides.workMs ?? 100
  const rest = { order: 0, unit: 0, start, end: start + workMs, workMs, after: [], notBefore: 0, running: false, maintenance: false, resumable: true }
  return { ...rest, ...overrides }
}

export function input(overrides: Partial<LookaheadInput> = {}): LookaheadInput {
  const orders = [{ id: 'o', due: null, weight: 1 }]
  return { now: 0, horizon: 1e9, units: [unit()], orders, operations: [operation()], maintenanceRatio: exactly(1), ...overrides }
}
