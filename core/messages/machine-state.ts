import { Type } from 'typebox'
import { EquipmentId, Id, Time } from './common.ts'

/** PackML states by number (OPC 30050). */
export const PACKML_STATES = {
  1: 'Clearing',
  2: 'Stopped',
  3: 'Starting',
  4: 'Idle',
  5: 'Suspended',
  6: 'Execute',
  7: 'Stopping',
  8: 'Aborting',
  9: 'Aborted',
  10: 'Holding',
  11: 'Held',
  12: 'Unholding',
  13: 'Suspending',
  14: 'Unsuspending',
  15: 'Resetting',
  16: 'Completing',
  17: 'Complete',
  18: 'Deactivating',
  19: 'Deactivated',
} as const
export type PackmlState = (typeof PACKML_STATES)[keyof typeof PACKML_STATES]
export const PACKML_STATE_NAMES = Object.values(PACKML_STATES)

/** PackML modes by number. */
export const PACKML_MODES = { 1: 'Produce', 2: 'Maintenance', 3: 'Manual' } as const
export const PACKML_MODE_NAMES = Object.values(PACKML_MODES)
export type PackmlMode = (typeof PACKML_MODES)[keyof typeof PACKML_MODES]

/**
 * ISO 22400-2 time elements a unit spends its time in. APT production, AUST set-up, ADET down and unplanned (failure),
 * ADOT other delay (blocked, starved, no order), PDOT planned downtime (maintenance, closed calendar); null while unknown.
 */
export const TIME_ELEMENTS = ['APT', 'AUST', 'ADET', 'ADOT', 'PDOT'] as const
export type TimeElement = (typeof TIME_ELEMENTS)[number]

/** The state a unit is in since `since`. `NoSignal` is a state: the unit may be running, we cannot see it. Topic: `<equipment>/machine-state`. */
export const MachineState = Type.Object({
  kind: Type.Literal('machine-state'),
  equipment: EquipmentId,
  state: Type.Enum([...PACKML_STATE_NAMES, 'NoSignal']),
  mode: Type.Union([Type.Enum(PACKML_MODE_NAMES), Type.Null()]),
  since: Time,
  element: Type.Union([Type.Enum(TIME_ELEMENTS), Type.Null()]),
  reason: Type.Union([Type.String({ maxLength: 200 }), Type.Null()]),
  jobOrder: Type.Union([Id, Type.Null()], { description: 'what the machine says it has loaded or runs' }),
  time: Time,
})
export type MachineState = Type.Static<typeof MachineState>
