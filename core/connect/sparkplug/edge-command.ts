import { TaktError } from '../../base/error.ts'
import { decodePayload } from './codec.ts'
import type { EdgeCommand } from './edge.ts'
import type { EdgeUnit } from './edge-unit.ts'
import type { Metric } from './payload.ts'
import { interpret, Misfit } from './values.ts'

export interface ReadCommand {
  /** All births are asked for. */
  readonly rebirth: boolean
  readonly commands: readonly EdgeCommand[]
  readonly problems: readonly TaktError[]
}

/** Reads an NCMD or DCMD: metrics by name or alias, values as the types of the birth say. Throws for a payload that is none, and for a device that is not there. */
export function readCommand(payload: Uint8Array, topic: string, unit: EdgeUnit | undefined, isNode: boolean, where: string): ReadCommand {
  if (unit === undefined)
    throw new TaktError('TAKT_SPARKPLUG_METRIC_UNKNOWN', { what: `a command to a device that this edge node does not have: ${topic}`, where })
  if (!unit.alive) throw new TaktError('TAKT_SPARKPLUG_DEAD', { what: `a command to a device that is dead: ${topic}`, where })
  const { metrics, timestamp } = decodePayload(payload)
  const commands: EdgeCommand[] = []
  const problems: TaktError[] = []
  let rebirth = false
  for (const metric of metrics) {
    const name = metric.name ?? (metric.alias === undefined ? undefined : unit.nameOf(Number(metric.alias)))
    if (isNode && name === 'Node Control/Rebirth') {
      rebirth ||= metric.value === true
      continue
    }
    const known = name === undefined ? undefined : unit.current(name)
    if (name === undefined || known === undefined) {
      const what = `a command to the metric ${name === undefined ? `with alias ${String(metric.alias)}` : `'${name}'`}, which is not in the birth`
      problems.push(new TaktError('TAKT_SPARKPLUG_METRIC_UNKNOWN', { what, where }))
      continue
    }
    const value = valueIn(metric, known.datatype)
    if (value instanceof Misfit) problems.push(new TaktError('TAKT_SPARKPLUG_VALUE', { what: `a command to '${name}': ${value.why}`, where }))
    else commands.push({ device: unit.device, metric: name, value, time: timeOf(metric.timestamp ?? timestamp) })
  }
  return { rebirth, commands, problems }
}

function valueIn(metric: Metric, datatype: number): EdgeCommand['value'] | Misfit {
  if (metric.isNull === true || (metric.value === undefined && metric.problem === undefined)) return null
  if (metric.problem !== undefined) return new Misfit(metric.problem)
  if (metric.datatype !== undefined && metric.datatype !== datatype) return new Misfit(`data type ${metric.datatype} where the birth says ${datatype}`)
  if (metric.datatype !== undefined || metric.wire === undefined || metric.value === undefined) return metric.value ?? null
  return interpret(metric.wire, metric.value, datatype)
}

function timeOf(timestamp: number | bigint | undefined): number | undefined {
  return typeof timestamp === 'number' ? timestamp : undefined
}
