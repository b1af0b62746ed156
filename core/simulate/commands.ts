import { parseJson } from '../base/json.ts'
import type { Plant } from '../plant/plant.ts'
import type { UnitJob } from './unit.ts'

/** A command as a machine takes it: the same JSON over MQTT and as the one String argument of an OPC UA method. */
export interface MachineCommand {
  readonly id: string
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>>
  /** plant time, epoch ms */
  readonly expires?: number
}

const MAX_BYTES = 65_536

/** Reads a command; throws a coded error that says what is wrong with it. `name` is what the method or topic already says, if it does. */
export function parseCommand(text: string | Uint8Array, where: string, name = ''): MachineCommand {
  const value = parseJson(text, { maxBytes: MAX_BYTES, where })
  const command = isRecord(value) ? value : {}
  const { expires } = command
  return {
    id: textOf(command.id),
    name: textOf(command.name) || name,
    arguments: isRecord(command.arguments) ? command.arguments : {},
    ...(typeof expires === 'number' ? { expires } : {}),
  }
}

/** The job that `start-job` or `enter-maintenance` asks for, or what is wrong with its arguments. Times that are not given come from the plant model. */
export function parseJob(command: MachineCommand, plant: Plant, unit: string, familyNow: string): UnitJob | string {
  const given = command.arguments
  const id = textOf(given.jobOrder)
  if (id === '') return 'it needs the argument jobOrder'
  const job = { id, lot: textOf(given.lot), product: textOf(given.product), operation: textOf(given.operation), good: 0, scrap: 0 }
  if (command.name === 'enter-maintenance') {
    const durationMs = positive(given.durationMs) ?? 3_600_000
    return { ...job, family: '', quantity: 0, setupMs: 0, perPieceMs: durationMs }
  }
  const quantity = positive(given.quantity)
  if (quantity === undefined || !Number.isInteger(quantity)) return 'it needs the argument quantity, a whole number above 0'
  const operation = plant.operation(job.product, job.operation)
  const times = operation === undefined ? undefined : plant.unitsFor(operation).find((candidate) => candidate.equipment === unit)
  const family = textOf(given.family) || (operation?.setupFamily ?? '')
  const perPieceMs = positive(given.perPieceMs) ?? times?.perPieceMs
  if (perPieceMs === undefined) return 'it needs the argument perPieceMs, or a product and operation that this unit can make'
  const setupMs = nonNegative(given.setupMs) ?? plant.setupMs(unit, familyNow, family) ?? times?.setupMs ?? 0
  return { ...job, family, quantity, setupMs, perPieceMs }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 200) : ''
}

function nonNegative(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}

function positive(value: unknown): number | undefined {
  const number = nonNegative(value)
  return number === 0 ? undefined : number
}
