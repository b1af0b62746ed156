import { TaktError } from '../base/error.ts'
import { type MachineState, PACKML_MODES, PACKML_STATES, type PackmlMode, type PackmlState, type TimeElement } from '../messages/machine-state.ts'

const STATE_BY_NAME: ReadonlyMap<string, PackmlState> = new Map(Object.values(PACKML_STATES).map((name) => [name.toLowerCase(), name]))
// older PackML versions and many drivers say Production
const MODE_BY_NAME: ReadonlyMap<string, PackmlMode> = new Map([
  ...Object.values(PACKML_MODES).map((name) => [name.toLowerCase(), name] as const),
  ['production', 'Produce'],
])

/** PackML state from its number (OPC 30050) or its name in any case. Throws TAKT_MACHINE_STATE_UNKNOWN. */
export function packmlState(value: unknown, where: string): PackmlState {
  const state = typeof value === 'string' ? STATE_BY_NAME.get(value.trim().toLowerCase()) : numbered(PACKML_STATES, value)
  if (state === undefined) throw new TaktError('TAKT_MACHINE_STATE_UNKNOWN', { what: `${show(value)} is not a PackML state`, where })
  return state
}

/** PackML mode from its number or its name in any case. Throws TAKT_MACHINE_MODE_UNKNOWN. */
export function packmlMode(value: unknown, where: string): PackmlMode {
  const mode = typeof value === 'string' ? MODE_BY_NAME.get(value.trim().toLowerCase()) : numbered(PACKML_MODES, value)
  if (mode === undefined) throw new TaktError('TAKT_MACHINE_MODE_UNKNOWN', { what: `${show(value)} is not a PackML mode`, where })
  return mode
}

function numbered<T extends string>(names: Readonly<Record<number, T>>, value: unknown): T | undefined {
  return typeof value === 'number' && Object.hasOwn(names, value) ? names[value] : undefined
}

function show(value: unknown): string {
  return typeof value === 'string' ? `'${value.slice(0, 40)}'` : String(value)
}

const ELEMENTS: Readonly<Record<PackmlState, TimeElement>> = {
  Starting: 'AUST',
  Execute: 'APT',
  Completing: 'APT',
  Aborting: 'ADET',
  Aborted: 'ADET',
  Clearing: 'ADET',
  Idle: 'ADOT',
  Resetting: 'ADOT',
  Complete: 'ADOT',
  Holding: 'ADOT',
  Held: 'ADOT',
  Unholding: 'ADOT',
  Suspending: 'ADOT',
  Suspended: 'ADOT',
  Unsuspending: 'ADOT',
  Stopping: 'ADOT',
  Stopped: 'ADOT',
  Deactivating: 'ADOT',
  Deactivated: 'ADOT',
}

/**
 * The ISO 22400-2 time element that a unit spends its time in: production, set-up, failure, planned downtime (mode Maintenance), or another delay.
 * Null while nothing is heard of the unit: unknown time must not flatter or spoil a KPI.
 */
export function timeElement(state: MachineState['state'], mode: PackmlMode | null): TimeElement | null {
  if (state === 'NoSignal') return null
  return mode === 'Maintenance' ? 'PDOT' : ELEMENTS[state]
}
