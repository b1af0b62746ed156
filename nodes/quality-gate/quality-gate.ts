import type { NodeAPI, NodeDef } from 'node-red'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import type { Lot } from '../../core/messages/lot.ts'
import type { QualityDecision } from '../../core/messages/quality-result.ts'
import type { Sample } from '../../core/messages/sample.ts'
import { hasKind, validateDocument } from '../../core/messages/validate.ts'
import { openSteps } from '../../core/orders/open-steps.ts'
import { DISPOSITION_REQUESTS, dispositionRequest } from '../../core/quality/disposition-request.ts'
import { type GateOptions, gate, knownResult } from '../../core/quality/gate.ts'
import { disposeLot } from '../../core/quality/held-lots.ts'
import { type Measurement, measurementOfMessage, measurementOfSample } from '../../core/quality/measurement.ts'
import type { PlantNode } from '../plant/plant.ts'
import { BadInput } from '../shared/bad-input.ts'
import { defineNode, type Message, nameOf, type Send } from '../shared/define-node.ts'
import { whenFlowsStarted } from '../shared/flows-started.ts'
import { inboxMarkOf, KeyedEffects } from '../shared/keyed-effects.ts'
import { whoActs } from '../shared/known-people.ts'
import { requireConfigNode } from '../shared/lookup.ts'
import { isSample, sampleReader } from '../shared/sample-fields.ts'
import type { StoreNode } from '../store/store.ts'
import { LotSettler } from './lot-settler.ts'

export interface QualityGateConfig extends NodeDef {
  plant: string
  store: string
  /** share of the tolerance beyond a limit from which a part is rejected; empty: only critical characteristics are */
  rejectBeyond: string | number
  rework: boolean
  holdOnAnomaly: boolean
}

const PORTS = ['pass', 'hold', 'reject'] as const satisfies readonly QualityDecision[]
const FILLS = { pass: 'green', hold: 'yellow', reject: 'red' } as const
const PORT_OF_DISPOSITION = { 'in-process': 'pass', released: 'pass', held: 'hold', scrapped: 'reject' } as const

export default function registerQualityGate(RED: NodeAPI): void {
  defineNode<QualityGateConfig>(RED, {
    type: 'takt-quality-gate',
    create(node, config) {
      const where = nameOf(node)
      const plantNode = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const { store } = requireConfigNode<StoreNode>(RED, node, config.store, 'store')
      const { clock } = plantNode
      const options: GateOptions = {
        rejectBeyond: shareOf(config.rejectBeyond, where),
        rework: config.rework !== false,
        holdOnAnomaly: config.holdOnAnomaly === true,
        actor: `node:${node.id}`,
      }
      const bad = new BadInput(node, { store, now: () => clock.now() })
      const read = sampleReader(RED, node, {}, { clock, plant: () => plantNode.plant() })
      const effects = new KeyedEffects(node, store)
      const tally = { pass: 0, hold: 0, reject: 0 }

      const showStatus = (last: QualityDecision): void => {
        const refused = bad.count === 0 ? '' : `, ${bad.count} unusable`
        node.status({ fill: FILLS[last], shape: 'dot', text: `${tally.pass} passed, ${tally.hold} held, ${tally.reject} rejected${refused}` })
      }
      const out = (send: Send, port: QualityDecision, message: Message): void => send(PORTS.map((name) => (name === port ? message : null)))
      const tellLot = (send: Send, lot: Lot, message: Message = {}): void =>
        out(send, PORT_OF_DISPOSITION[lot.disposition], { ...message, topic: `lots/${lot.id}`, payload: lot })

      const judge = (measurement: Measurement, message: Message, send: Send): Promise<void> =>
        effects.record(
          message,
          // a message that had its effect before can only find its result again
          (tx, fresh) => (fresh ? gate(tx, plantNode.plant(), measurement, options) : knownResult(tx, measurement)),
          (outcome) => {
            if (outcome === undefined) return
            const { result, replayed, open } = outcome
            if (!replayed) tally[result.decision]++
            showStatus(result.decision)
            // told again when it comes again: whoever missed it before a crash gets it, and its id is the same
            const topic = `quality/${result.lot ?? result.jobOrder ?? result.characteristic}`
            out(send, result.decision, {
              ...message,
              topic,
              payload: result,
              ...(replayed ? { replayed } : {}),
              ...(open === undefined ? {} : { open: [open] }),
            })
          },
          measurement.id,
        )

      async function dispose(message: Message, send: Send): Promise<void> {
        const request = dispositionRequest(dispositionOf(message), message.payload, message.by, where)
        const scope = (await store.get('lot', request.lot))?.location ?? ''
        const by = (await whoActs(store, message, `lot.${request.disposition}`, scope, request.by, where)) ?? request.by
        if (request.concession !== undefined) await whoActs(store, message, 'procedure.concede', scope, request.by, where)
        const lot = await store.transaction((tx) => disposeLot(tx, { ...request, by }))
        // let go on, and not released yet: this is why
        const open = request.disposition === 'release' && lot.disposition === 'in-process' ? await openSteps(store, lot.id) : []
        tellLot(send, lot, { ...message, ...(open.length === 0 ? {} : { open }) })
      }

      /** Undefined for what is not measured quality. */
      async function measurementOf(message: Message): Promise<Measurement | undefined> {
        const { payload, topic } = message
        const plant = plantNode.plant()
        if (isSample(payload)) {
          if (plant.signal(`${payload.equipment}/${payload.signal}`)?.signal.role !== 'characteristic') return undefined
          return measurementOfSample(validateDocument(payload, 'sample', where), plant)
        }
        if (hasKind(payload)) return undefined
        if (typeof payload === 'object') return measurementOfMessage(payload, clock.now(), where, inboxMarkOf(message)?.key)
        // from a plain flow: a value whose topic is a signal of the plant
        if (typeof topic === 'string' && plant.signal(topic) !== undefined) return measurementOfSample((await read(message)) as Sample, plant)
        throw new TaktError('TAKT_MESSAGE_INVALID', { what: `a ${typeof payload} without a signal of the plant as topic`, where })
      }

      const settler = new LotSettler({
        store,
        plant: () => plantNode.plant(),
        rework: options.rework,
        actor: options.actor,
        released: (lot) => tellLot(node.send.bind(node) as Send, lot),
        waits: (lot, open) => out(node.send.bind(node) as Send, 'hold', { topic: `lots/${lot.id}`, payload: lot, open }),
        failed: (thrown) => node.error(toTaktError(thrown, where)),
      })
      const forget = whenFlowsStarted(RED, () => settler.settle())

      node.status({ fill: 'grey', shape: 'ring', text: 'nothing measured yet' })
      return {
        async input(message, send) {
          try {
            if (dispositionOf(message) !== undefined && !hasKind(message.payload)) return await dispose(message, send)
            const measurement = await measurementOf(message)
            if (measurement !== undefined) await judge(measurement, message, send)
          } catch (thrown) {
            const problem = toTaktError(thrown, where)
            // the store's troubles are not the sender's: they go to catch, and the measurement may be sent again
            if (problem.code.startsWith('TAKT_STORE_') || problem.code === 'TAKT_INTERNAL') throw problem
            bad.report(problem, { topic: message.topic, payload: message.payload })
            node.status({ fill: 'red', shape: 'ring', text: `${bad.count} unusable: ${problem.what}`.slice(0, 60) })
          }
        },
        async close() {
          forget()
          effects.stop()
          await settler.stop()
        },
      }
    },
  })
}

/** The last part of the topic, `quality/release`. */
function dispositionOf({ topic }: Message): (typeof DISPOSITION_REQUESTS)[number] | undefined {
  const last = typeof topic === 'string' ? topic.slice(topic.lastIndexOf('/') + 1) : ''
  return DISPOSITION_REQUESTS.find((known) => known === last)
}

function shareOf(value: string | number | undefined, where: string): number | null {
  if (value === undefined || value === null || String(value).trim() === '') return null
  const share = Number(value)
  if (!Number.isFinite(share) || share < 0)
    throw new TaktError('TAKT_CONFIG_INVALID', { what: `reject beyond is '${value}' where a share of the tolerance is taken`, where })
  return share
}
