import type { Clock } from '../base/clock.ts'
import { TaktError } from '../base/error.ts'
import { type Anomaly, SEVERITIES, type Severity } from '../messages/anomaly.ts'
import type { Receipt } from '../messages/command.ts'
import type { Autonomy } from '../messages/common.ts'
import type { Containment } from '../messages/containment.ts'
import type { Genealogy } from '../messages/genealogy.ts'
import type { Lot } from '../messages/lot.ts'
import type { Trace } from '../messages/trace.ts'
import type { Plant } from '../plant/plant.ts'
import type { Store } from '../store/store.ts'
import { answerContainment, type Contained, contain } from './contain.ts'
import { captureEpcis } from './epcis/capture.ts'
import { exportEpcis } from './epcis/export.ts'
import type { EpcisIds } from './epcis/ids.ts'
import { lineage, relationsAmong } from './lineage.ts'
import type { TraceRequest } from './read-request.ts'
import { recallList } from './recall.ts'
import { recordEvent, type TraceOptions } from './record-event.ts'
import { touched } from './touched.ts'

export interface TraceSettings extends TraceOptions {
  /** How far containment goes by itself; `off` only on request. */
  readonly containment: Autonomy | 'off'
  /** Anomalies below this put no lot in doubt. */
  readonly minSeverity: Severity
  readonly ids: EpcisIds
  readonly captureErrors: 'rollback' | 'proceed'
  /** Book captured EPCIS events into genealogy. */
  readonly book: boolean
  readonly where: string
}

export interface TraceDeskParts {
  readonly store: Store
  readonly plant: () => Plant
  readonly clock: Clock
  readonly settings: TraceSettings
}

/** Something to tell: a result, or what a person should look at. */
export interface Told {
  readonly port: 'result' | 'attention'
  readonly topic: string
  readonly payload: Genealogy | Trace | Containment | Lot | Receipt | Record<string, unknown>
  /** further fields of the message */
  readonly more?: Readonly<Record<string, unknown>>
}

/** Takes what is asked of the trace and says what came of it. What cannot be done it refuses with a coded error, and then nothing has changed. */
export class TraceDesk {
  readonly #parts: TraceDeskParts
  #containment: TraceSettings['containment']

  constructor(parts: TraceDeskParts) {
    this.#parts = parts
    this.#containment = parts.settings.containment
  }

  /** How far containment goes from now on. What was proposed to people stays with them. */
  set containment(level: TraceSettings['containment']) {
    this.#containment = level
  }

  get containment(): TraceSettings['containment'] {
    return this.#containment
  }

  /** Containments that wait for a person. */
  async waiting(): Promise<readonly Containment[]> {
    const proposed = await this.#parts.store.list('containment', { where: { status: 'proposed' } })
    return proposed.filter(({ autonomy }) => autonomy !== 'shadow')
  }

  /** `by`: the person who asks, as far as that is known. */
  async handle(request: TraceRequest, by?: string): Promise<readonly Told[]> {
    const { store, settings } = this.#parts
    const plant = this.#parts.plant()
    const options = by === undefined ? settings : { ...settings, actor: by }
    switch (request.do) {
      case 'record': {
        const { event, replayed, lots } = await store.transaction(async (tx) => {
          const known = request.timed || request.event.id === undefined ? undefined : await tx.get('genealogy', request.event.id)
          return recordEvent(tx, plant, known === undefined ? request.event : { ...request.event, time: known.time }, options)
        })
        const held = lots.filter(({ disposition }) => disposition === 'held')
        return [
          { port: 'result', topic: `genealogy/${event.event}`, payload: event, more: replayed ? { replayed, lots } : { lots } },
          ...held.map((lot): Told => ({ port: 'attention', topic: `lots/${lot.id}`, payload: lot })),
        ]
      }
      case 'ask':
        return [{ port: 'result', topic: `trace/${request.query}`, payload: await this.#ask(request) }]
      case 'capture':
        return this.#capture(request.document, options)
      case 'export': {
        const now = this.#parts.clock.now()
        const payload = await exportEpcis(store, plant, request.request, { ids: settings.ids, timeZone: plant.timeZone }, now)
        return [{ port: 'result', topic: 'epcis/document', payload }]
      }
      case 'contain': {
        const anomaly = await store.get('anomaly', request.anomaly)
        if (anomaly === undefined) throw new TaktError('TAKT_ANOMALY_UNKNOWN', { what: `there is no anomaly '${request.anomaly}'`, where: settings.where })
        // who asks for it by name has decided
        return tellContained(await store.transaction((tx) => contain(tx, anomaly, 'auto', options.actor)))
      }
      case 'autonomy':
        this.#containment = request.level
        return []
      case 'answer':
        return tellContained(await store.transaction((tx) => answerContainment(tx, request.containment, request.decision, by ?? 'a person', request.why)))
    }
  }

  /** An anomaly that was raised, has gone on or has ended: the lots in doubt, as far as this node may go. */
  async anomaly(anomaly: Anomaly): Promise<readonly Told[]> {
    const { store, settings } = this.#parts
    const { minSeverity, actor } = settings
    const containment = this.#containment
    if (containment === 'off' || SEVERITIES.indexOf(anomaly.severity) < SEVERITIES.indexOf(minSeverity)) return []
    return tellContained(await store.transaction((tx) => contain(tx, anomaly, containment, actor)))
  }

  async #ask({ query, lot, limit, relations }: Extract<TraceRequest, { do: 'ask' }>): Promise<Trace> {
    const { store, clock } = this.#parts
    const answer: Pick<Trace, 'kind' | 'query' | 'lot' | 'time'> = { kind: 'trace', query, lot, time: clock.now() }
    if (query === 'recall') {
      const { lots, parties } = await recallList(store, lot, limit)
      return {
        ...answer,
        lots: lots.map(({ containers, shipped, ...where }) => ({ ...where, containers: [...containers], shipped: [...shipped] })),
        parties: [...parties],
      }
    }
    if (query === 'touched') return { ...answer, lots: [], touched: { ...(await touched(store, this.#parts.plant(), lot, answer.time)) } }
    const found = await lineage(store, lot, query, limit)
    const lots = found.map(({ quantity: value, unit, ...traced }) => ({ ...traced, quantity: { value, unit } }))
    if (!relations) return { ...answer, lots }
    const among = await relationsAmong(store, [lot, ...found.map((traced) => traced.lot)])
    return { ...answer, lots, relations: among.map((relation) => ({ ...relation })) }
  }

  async #capture(document: unknown, options: TraceOptions): Promise<readonly Told[]> {
    const { store, plant, clock, settings } = this.#parts
    const { ids, captureErrors: onError, book, where } = settings
    const captured = await captureEpcis(store, plant(), document, { ...options, ids, onError, book, where })
    const events = captured.events.map(({ position, event, outcome, genealogy, problem }) => ({
      position,
      event,
      outcome,
      ...(genealogy === undefined ? {} : { genealogy: genealogy.id }),
      ...(problem === undefined ? {} : { code: problem.code, what: problem.what, do: problem.remedy }),
    }))
    const receipt: Receipt = { kind: 'receipt', of: captured.document, to: 'epcis', status: 'done', time: clock.now() }
    const wrong = events.filter(({ code }) => code !== undefined)
    return [
      { port: 'result', topic: 'epcis/captured', payload: receipt, more: { events } },
      ...(wrong.length === 0
        ? []
        : [
            {
              port: 'attention' as const,
              topic: 'epcis/problems',
              payload: { ...receipt, status: 'refused' as const, reason: `${wrong.length} of ${events.length} events were refused or not booked` },
              more: { events: wrong },
            },
          ]),
    ]
  }
}

/** Proposals, and lots that are held now, are for a person to see; what was done is a result. */
export function tellContained(contained: Contained | undefined): readonly Told[] {
  if (contained === undefined || !contained.changed) return []
  const { containment, held } = contained
  const asks = containment.status === 'proposed' && containment.autonomy !== 'shadow'
  return [
    { port: asks ? 'attention' : 'result', topic: `${containment.equipment}/containment`, payload: containment },
    ...held.map((lot): Told => ({ port: 'attention', topic: `lots/${lot.id}`, payload: lot })),
  ]
}
