import type { MonitoredItemCreateRequestOptions } from 'node-opcua'
import { TaktError } from '../base/error.ts'
import type { SignalSource } from '../plant/model.ts'
import type { BoundSignal, Plant } from '../plant/plant.ts'
import { findSignal } from '../signal/sample.ts'
import type { Opcua } from './load-opcua.ts'

export type Deadband = NonNullable<SignalSource['deadband']>

export interface OpcuaItem {
  readonly nodeId: string
  readonly bound: BoundSignal
  /** Where in an array or a structure the value is: `[3]`, `.speed`, `[3].speed`; the variable's whole value without it. */
  readonly path?: string | undefined
  readonly deadband?: Deadband | undefined
}

/** A row of a list by hand. */
export interface ListedNode {
  readonly nodeId: string
  /** `<equipment>/<signal>` */
  readonly topic: string
  readonly path?: string | undefined
  readonly deadband?: Deadband | undefined
}

/** Every signal that the plant model binds to an endpoint. */
export function boundItems(plant: Plant, connection: string): readonly OpcuaItem[] {
  return plant.signalsOfConnection(connection).flatMap((bound) => {
    const { nodeId, value, deadband } = bound.signal.source ?? {}
    return nodeId === undefined ? [] : [{ nodeId, bound, path: plainPath(value), deadband }]
  })
}

/** Items by hand. A deadband of the row goes before that of the plant model. Throws TAKT_EQUIPMENT_UNKNOWN, TAKT_SIGNAL_UNKNOWN. */
export function listedItems(list: readonly ListedNode[], plant: Plant, where: string): readonly OpcuaItem[] {
  return list.map(({ nodeId, topic, path, deadband }) => {
    const bound = findSignal({ topic }, plant, `${where}, node ${nodeId}`)
    return { nodeId, bound, path: plainPath(path), deadband: deadband ?? bound.signal.source?.deadband }
  })
}

/** `0.5`: in the signal's unit; `1 %`: of the range that the server states. Empty: none. Throws TAKT_CONFIG_INVALID. */
export function deadbandOf(text: unknown, where: string): Deadband | undefined {
  const given = String(text ?? '').trim()
  if (given === '') return undefined
  const [, digits, percent] = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(given) ?? []
  const value = Number(digits)
  if (digits === undefined || value <= 0 || (percent === '%' && value > 100))
    throw new TaktError('TAKT_CONFIG_INVALID', { what: `deadband '${given}' is neither a number such as 0.5 nor percent such as 1 %`, where })
  return percent === '%' ? { percent: value } : { absolute: value }
}

function plainPath(path: string | undefined): string | undefined {
  const trimmed = path?.trim().replace(/^\$/, '') ?? ''
  return trimmed === '' ? undefined : trimmed
}

export interface MonitoringSetting {
  /** -1: the publishing interval; 0: every change, where the server can. */
  readonly samplingMs: number
  /** Values that the server keeps for a signal while nobody asks for them; without it as many as an outage of a minute brings. */
  readonly queueSize?: number | undefined
  /** When the queue is full: true drops the oldest, false the newest. */
  readonly discardOldest: boolean
}

const OUTAGE_MS = 60_000
const SMALLEST_QUEUE = 100
/** A guaranteed signal that says nothing of its rate. */
const GUARANTEED_QUEUE = 1000
const LARGEST_QUEUE = 10_000

/** What the server is asked for one item. `bare`: without deadband and index range, for servers that refuse them. */
export function monitoringRequest(
  item: OpcuaItem,
  clientHandle: number,
  guaranteed: boolean,
  setting: MonitoringSetting,
  opcua: Opcua,
  bare: boolean,
): MonitoredItemCreateRequestOptions {
  const { AttributeIds, DataChangeFilter, DataChangeTrigger, DeadbandType, MonitoringMode } = opcua
  const { deadband } = item
  const range = bare ? undefined : indexRangeOf(item.path)
  const filter =
    deadband === undefined || bare
      ? undefined
      : new DataChangeFilter({
          trigger: DataChangeTrigger.StatusValue,
          deadbandType: deadband.percent === undefined ? DeadbandType.Absolute : DeadbandType.Percent,
          deadbandValue: deadband.percent ?? deadband.absolute ?? 0,
        })
  return {
    itemToMonitor: {
      nodeId: opcua.resolveNodeId(item.nodeId),
      attributeId: AttributeIds.Value,
      ...(range === undefined ? {} : { indexRange: new opcua.NumericRange(range) as never }),
    },
    monitoringMode: MonitoringMode.Reporting,
    requestedParameters: {
      clientHandle,
      samplingInterval: setting.samplingMs,
      queueSize: setting.queueSize ?? queueSizeOf(item, guaranteed),
      discardOldest: setting.discardOldest,
      ...(filter === undefined ? {} : { filter }),
    },
  }
}

/** True where the request has something that a server may refuse although it has the node. */
export function hasExtras(item: OpcuaItem): boolean {
  return item.deadband !== undefined || indexRangeOf(item.path) !== undefined
}

/** `[3]` and `[1][2]` can be cut out by the server (NumericRange, OPC 10000-4, 7.27); what goes into structures cannot. */
export function indexRangeOf(path: string | undefined): string | undefined {
  if (path === undefined || !/^(\[\d+\])+$/.test(path)) return undefined
  return path.slice(1, -1).replaceAll('][', ',')
}

function queueSizeOf({ bound }: OpcuaItem, guaranteed: boolean): number {
  const { everyMs } = bound.signal
  const smallest = guaranteed ? GUARANTEED_QUEUE : SMALLEST_QUEUE
  return everyMs === undefined ? smallest : Math.min(LARGEST_QUEUE, Math.max(smallest, Math.ceil(OUTAGE_MS / everyMs)))
}

/** Throws TAKT_OPCUA_NODE_UNKNOWN for a text that is no node id. */
export function checkNodeId(nodeId: string, opcua: Opcua, where: string): void {
  try {
    opcua.resolveNodeId(nodeId)
  } catch (cause) {
    throw new TaktError('TAKT_OPCUA_NODE_UNKNOWN', { what: `'${nodeId}' is not a node id`, where, cause })
  }
}
