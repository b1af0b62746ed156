import type { NodeAPI, NodeDef } from 'node-red'
import { systemClock } from '../../core/base/clock.ts'
import { toTaktError } from '../../core/base/error.ts'
import type { Sample } from '../../core/messages/sample.ts'
import { hasKind, validateDocument } from '../../core/messages/validate.ts'
import { findSignal } from '../../core/signal/sample.ts'
import type { PlantNode } from '../plant/plant.ts'
import { BadInput } from '../shared/bad-input.ts'
import { defineNode, type Message, nameOf, type Send } from '../shared/define-node.ts'
import { optionalConfigNode } from '../shared/lookup.ts'
import { type SampleFields, sampleReader } from '../shared/sample-fields.ts'
import { type ToleranceFields, toleranceSetting } from '../shared/settings.ts'
import type { StoreNode } from '../store/store.ts'

export interface SensorConfig extends NodeDef, SampleFields, ToleranceFields {
  /** with it, signals that are not in the plant model are refused */
  plant: string
  /** keeps what cannot be used */
  store: string
}

const STATUS_MS = 1000

export default function registerSensor(RED: NodeAPI): void {
  defineNode<SensorConfig>(RED, {
    type: 'takt-sensor',
    create(node, config) {
      const where = nameOf(node)
      const plantNode = optionalConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const store = optionalConfigNode<StoreNode>(RED, node, config.store, 'store')?.store
      const clock = plantNode?.clock ?? systemClock
      const plant = plantNode === undefined ? undefined : () => plantNode.plant()
      const bad = new BadInput(node, { store, now: () => clock.now() })
      const read = sampleReader(RED, node, config, { clock, plant, tolerance: toleranceSetting(config, where) })

      let samples = 0
      let shown = ''
      const showStatus = (): void => {
        const text = `${samples.toLocaleString('en')} sample${samples === 1 ? '' : 's'}${bad.count > 0 ? `, ${bad.count} bad` : ''}`
        if (text === shown) return
        shown = text
        node.status({ fill: bad.count > 0 ? 'yellow' : samples > 0 ? 'green' : 'grey', shape: samples > 0 ? 'dot' : 'ring', text })
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

      return {
        input(message, send: Send) {
          const pass = (sample: Sample): void => {
            samples++
            message.topic = `${sample.equipment}/${sample.signal}`
            message.payload = sample
            send(message)
          }
          const refuse = (thrown: unknown): void => bad.report(toTaktError(thrown, where), { topic: message.topic, payload: message.payload })
          try {
            const sample = sampleOf(message)
            if (sample instanceof Promise) return sample.then(pass, refuse)
            pass(sample)
          } catch (thrown) {
            refuse(thrown)
          }
          return undefined
        },
        close: () => clearInterval(timer),
      }
    },
  })
}
