import { TaktError, toTaktError } from '../../base/error.ts'
import type { Sample } from '../../messages/sample.ts'
import { roleRank, sampleOf } from '../../signal/sample.ts'
import { dataTypeName } from './datatypes.ts'
import type { KnownMetric, MetricTable } from './metric-table.ts'
import { isTemplate, qualityOf, scalarOf } from './metric-value.ts'
import type { Integer, Metric, Payload, Template, Value } from './payload.ts'
import { interpret, Misfit } from './values.ts'

export interface MetricReading {
  readonly table: MetricTable
  readonly origin: NonNullable<Sample['origin']>
  /** Nobody has confirmed yet that the table is still the sender's. */
  readonly unconfirmed: boolean
  /** For errors: the node, and the edge node or device. */
  readonly where: string
  bad(problem: TaktError): void
  /** The data does not fit the birth. */
  mismatch(): void
}

export interface TopicSample {
  readonly topic: string
  readonly sample: Sample
}

interface Made extends TopicSample {
  readonly rank: number
  readonly keep: (() => void) | undefined
}

/**
 * The samples of a payload's metrics, in the order of their times and, for equal times, of their roles. A metric that is no good costs nothing but itself.
 * Metrics that no signal is bound to are passed over.
 */
export function samplesOf(payload: Payload, reading: MetricReading): readonly TopicSample[] {
  const made: Made[] = []
  for (const metric of payload.metrics) {
    const known = knownOf(metric, reading)
    if (known !== undefined) readMetric(metric, known, timeOf(metric.timestamp ?? payload.timestamp), metric.isHistorical === true, reading, made)
  }
  if (made.length > 1) made.sort((a, b) => a.sample.time - b.sample.time || a.rank - b.rank)
  for (const { keep } of made) keep?.()
  return made
}

function knownOf(metric: Metric, { table, where, bad, mismatch }: MetricReading): KnownMetric | undefined {
  const { name, alias } = metric
  const known = name !== undefined && name !== '' ? table.named(name) : alias === undefined ? undefined : table.aliased(alias)
  if (known !== undefined) return known
  if (name === undefined && alias === undefined) bad(new TaktError('TAKT_SPARKPLUG_INVALID', { what: 'a metric has neither name nor alias', where }))
  else if (name === undefined && alias !== undefined && table.isAmbiguous(alias))
    bad(new TaktError('TAKT_SPARKPLUG_ALIAS_DUPLICATE', { what: `alias ${alias} stands for several metrics`, where }))
  else if (name === undefined) {
    bad(new TaktError('TAKT_SPARKPLUG_ALIAS_UNKNOWN', { what: `alias ${alias} is not in the birth`, where }))
    mismatch()
  } else {
    bad(new TaktError('TAKT_SPARKPLUG_METRIC_UNKNOWN', { what: `metric '${clip(name)}' is not in the birth`, where }))
    mismatch()
  }
  return undefined
}

function readMetric(metric: Metric, known: KnownMetric, time: number | undefined, historical: boolean, reading: MetricReading, made: Made[]): void {
  if (isTemplate(metric)) {
    if (metric.value !== undefined) readMembers(known.name, metric.value as Template, time, historical, reading, made)
    return
  }
  if (known.targets.length === 0) return
  const { where, bad, mismatch } = reading
  const value = typedValue(metric, known)
  if (value instanceof Misfit) {
    const wrongType = metric.datatype !== known.datatype || metric.problem === undefined
    bad(new TaktError(wrongType ? 'TAKT_SPARKPLUG_TYPE' : 'TAKT_SPARKPLUG_VALUE', { what: `metric '${clip(known.name)}': ${value.why}`, where }))
    if (wrongType) mismatch()
    return
  }
  const said = qualityOf(metric)
  const quality = reading.unconfirmed && said === 'good' ? 'uncertain' : said
  for (const [index, target] of known.targets.entries()) {
    const { bound, topic, setting } = target
    // a machine without a job says so with null; of any other signal null says that its last value is good no longer
    const noJob = value === undefined && bound.signal.role === 'job-order'
    const raw = noJob ? '' : value === undefined ? known.last[index]?.value : scalarOf(value, bound.signal.role)
    if (raw === undefined) continue
    try {
      const sample = sampleOf(bound, { value: raw, time, quality: value === undefined && !noJob ? 'bad' : quality, origin: reading.origin }, setting)
      const keep = historical ? undefined : () => (known.last[index] = sample)
      made.push({ topic, sample, rank: roleRank(bound.signal.role), keep })
    } catch (thrown) {
      bad(toTaktError(thrown, setting.where))
    }
  }
}

/** A template's members are metrics of their own: `<metric>/<member>`. */
function readMembers(
  path: string,
  { metrics, isDefinition }: Template,
  time: number | undefined,
  historical: boolean,
  reading: MetricReading,
  made: Made[],
): void {
  if (isDefinition === true) return
  for (const member of metrics) {
    const known = knownOf({ name: `${path}/${member.name ?? ''}` }, reading)
    if (known !== undefined) readMetric(member, known, timeOf(member.timestamp) ?? time, historical || member.isHistorical === true, reading, made)
  }
}

/** The value as the birth's data type; `undefined` for null. A data type in the data itself must be that of the birth. */
function typedValue(metric: Metric, known: KnownMetric): Value | Misfit | undefined {
  if (metric.isNull === true) return undefined
  const { datatype } = metric
  if (datatype !== undefined && known.datatype !== undefined && datatype !== known.datatype)
    return new Misfit(`${dataTypeName(datatype) ?? `data type ${datatype}`} where the birth has ${dataTypeName(known.datatype) ?? known.datatype}`)
  if (metric.problem !== undefined) return new Misfit(metric.problem)
  if (metric.value === undefined || metric.wire === undefined) return undefined
  return datatype === undefined ? interpret(metric.wire, metric.value, known.datatype) : metric.value
}

function timeOf(timestamp: Integer | undefined): number | undefined {
  return timestamp === undefined ? undefined : Number(timestamp)
}

function clip(text: string): string {
  return text.length > 120 ? `${text.slice(0, 117)}…` : text
}
