import type { NodeAPI, NodeDef } from 'node-red'
import { systemClock } from '../../core/base/clock.ts'
import { type TaktError, toTaktError } from '../../core/base/error.ts'
import { deliverySetting, isGuaranteed } from '../../core/connect/delivery.ts'
import { Intake } from '../../core/connect/intake.ts'
import type { Sample } from '../../core/messages/sample.ts'
import { hasKind, validateDocument } from '../../core/messages/validate.ts'
import { findSignal } from '../../core/signal/sample.ts'
import { inboxOf } from '../../core/store/inbox.ts'
import type { PlantNode } from '../plant/plant.ts'
import { BadInput } from '../shared/bad-input.ts'
import { defineNode, type Message, nameOf, type Send } from '../shared/define-node.ts'
import { whenFlowsStarted } from '../shared/flows-started.ts'
import { optionalConfigNode } from '../shared/lookup.ts'
import { type SampleFields, sampleReader } from '../shared/sample-fields.ts'
import { type ToleranceFields, toleranceSetting } from '../shared/settings.ts'
import type { StoreNode } from '../store/store.ts'

export interface SensorConfig extends NodeDef, SampleFields, ToleranceFields {
  /** with it, signals that are not in the plant model are refused */
  plant: string
  /** keeps what cannot be used, and what is guaranteed */
  store: string
  delivery: 'role' | 'guaranteed' | 'fast'
}

/** A message as it came, with its way on. */
interface Source {
  readonly message: Message
  readonly send: Send
}

const STATUS_MS = 1000
const LONGEST_TEXT = 60

export default function registerSensor(RED: NodeAPI): void {
  defineNode<SensorConfig>(RED, {
    type: 'takt-sensor',
    create(node, config) {
      const where = nameOf(node)
      const plantNode = optionalConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const store = optionalConfigNode<StoreNode>(RED, node, config.store, 'store')?.store
      const clock = plantNode?.clock ?? systemClock
      const delivery = deliverySetting(config.delivery, store !== undefined, where)
      const plant = plantNode === undefined ? undefined : () => plantNode.plant()
      const bad = new BadInput(node, { store, now: () => clock.now() })
      const read = sampleReader(RED, node, config, { clock, plant, tolerance: toleranceSetting(config, where) })

      let samples = 0
      let problem: TaktError | undefined
      /** Something came that should be guaranteed, and there is no store to keep it in. */
      let isFast = false
      /** The messages that samples under way were made from; one that is sent again has lost all but its sample. */
      const sources = new WeakMap<object, Source>()
      const intake =
        store === undefined || delivery === 'fast'
          ? undefined
          : new Intake({
              inbox: inboxOf(store),
              source: `sensor/${node.id}`,
              send(messages) {
                for (const { topic, payload, takt } of messages) {
                  const { message = {}, send = node.send.bind(node) as Send } = sources.get(payload) ?? {}
                  samples++
                  send(Object.assign(message, { topic, payload, takt }))
                }
              },
              refused: (refusal, { messages }) => bad.report(refusal, { topic: messages[0]?.topic, payload: messages[0]?.payload }),
              problem(trouble) {
                problem = trouble
                showStatus()
              },
            })
      const forget = intake === undefined ? () => {} : whenFlowsStarted(RED, () => void intake.replay())
      let shown = ''
      const showStatus = (): void => {
        const { waiting = 0, oldestMs = 0 } = intake?.figures ?? {}
        const parts = [
          `${samples.toLocaleString('en')} sample${samples === 1 ? '' : 's'}`,
          ...(waiting > 0 ? [`${waiting} waiting, ${Math.round(oldestMs / 1000)} s`] : []),
          ...(bad.count > 0 ? [`${bad.count} bad`] : []),
          ...(isFast ? ['fast: no store'] : []),
        ]
        const text = problem?.what.slice(0, LONGEST_TEXT) ?? parts.join(', ')
        if (text === shown) return
        shown = text
        if (problem !== undefined) node.status({ fill: 'red', shape: 'ring', text })
        else node.status({ fill: bad.count > 0 ? 'yellow' : samples > 0 ? 'green' : 'grey', shape: samples > 0 ? 'dot' : 'ring', text })
      }
      const timer = setInterval(showStatus, STATUS_MS).unref()

      /** A document that is a sample already goes on as it is; anything else has a sample in it. */
      const sampleOf = (message: Message): Sample | Promise<Sample> => {
        const { payload } = message
        if (!hasKind(payload)) return read(message)
        const sample = validateDocument(payload, 'sample', where)
        if (plant !== undefined) findSignal(sample, plant(), where)
        return sample
      }

      const isKept = ({ equipment, signal }: Sample): boolean => isGuaranteed(delivery, plant?.().signal(`${equipment}/${signal}`)?.signal, store !== undefined)

      return {
        input(message, send: Send) {
          const pass = (sample: Sample): Promise<void> | undefined => {
            const topic = `${sample.equipment}/${sample.signal}`
            if (intake !== undefined && isKept(sample)) {
              sources.set(sample, { message, send })
              return intake.take({ ...numbered(sample), content: JSON.stringify({ ...sample, received: 0 }), messages: [{ topic, payload: sample }] })
            }
            if (store === undefined && !isFast) isFast = isGuaranteed(delivery, plant?.().signal(topic)?.signal, true)
            samples++
            message.topic = topic
            message.payload = sample
            send(message)
            return undefined
          }
          const refuse = (thrown: unknown): void => bad.report(toTaktError(thrown, where), { topic: message.topic, payload: message.payload })
          try {
            const sample = sampleOf(message)
            if (sample instanceof Promise) return sample.then(pass, refuse)
            return pass(sample)
          } catch (thrown) {
            refuse(thrown)
            return undefined
          }
        },
        close() {
          forget()
          clearInterval(timer)
          return intake?.stop()
        },
      }
    },
  })
}

/** The number that whoever made the sample gave it, where there is one. */
function numbered({ origin }: Sample): { readonly key?: { readonly session: string; readonly sequence: number } } {
  if (origin?.session === undefined || origin.sequence === undefined) return {}
  return { key: { session: `${origin.source}/${origin.session}`, sequence: origin.sequence } }
}
