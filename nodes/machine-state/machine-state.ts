import { join } from 'node:path'
import type { NodeAPI, NodeDef } from 'node-red'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import { StateFile } from '../../core/base/state-file.ts'
import type { Count } from '../../core/messages/count.ts'
import type { MachineState } from '../../core/messages/machine-state.ts'
import type { Sample } from '../../core/messages/sample.ts'
import { SilenceWatch } from '../../core/signal/silence.ts'
import { StoreRecorder } from '../../core/signal/store-recorder.ts'
import { readFact, type UnitFact } from '../../core/signal/unit.ts'
import { UnitQueue } from '../../core/signal/unit-queue.ts'
import type { Happened } from '../../core/signal/unit-recorder.ts'
import { VolatileRecorder } from '../../core/signal/volatile-recorder.ts'
import type { PlantNode } from '../plant/plant.ts'
import { BadInput } from '../shared/bad-input.ts'
import { defineNode, type Message, nameOf, type Send } from '../shared/define-node.ts'
import { followPlant } from '../shared/follow-plant.ts'
import { inboxMarkOf, KeyedEffects } from '../shared/keyed-effects.ts'
import { optionalConfigNode, requireConfigNode } from '../shared/lookup.ts'
import { isSample, sampleReader } from '../shared/sample-fields.ts'
import type { StoreNode } from '../store/store.ts'

export interface MachineStateConfig extends NodeDef {
  plant: string
  store: string
  /** seconds of plant time without a sample after which a unit without limits of its own is NoSignal; empty: never */
  staleAfter: string | number
}

interface Item {
  readonly fact: UnitFact
  /** Lets the message's row of the inbox go, once what it said is recorded. */
  readonly release?: () => void
  /** The message that said so, and its way on; none where a unit fell silent. */
  readonly message?: Message
  readonly send?: Send
}

const TICK_MS = 500

export default function registerMachineState(RED: NodeAPI): void {
  defineNode<MachineStateConfig>(RED, {
    type: 'takt-machine-state',
    create(node, config) {
      const where = nameOf(node)
      const plantNode = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const store = optionalConfigNode<StoreNode>(RED, node, config.store, 'store')?.store
      const { clock } = plantNode
      const staleAfterMs = secondsOf(config.staleAfter, where)
      const bad = new BadInput(node, { store, now: () => clock.now() })
      const read = sampleReader(RED, node, {}, { clock, plant: () => plantNode.plant() })

      // without a store a restart in good order loses nothing; after any other the counts begin anew rather than twice
      const file = store === undefined ? new StateFile(join(RED.settings.userDir ?? process.cwd(), 'takt', `machine-state-${node.id}.json`)) : undefined
      const volatile = file === undefined ? undefined : new VolatileRecorder(clock, file.load())
      file?.remove()
      const recorder = volatile ?? new StoreRecorder(store as NonNullable<typeof store>, clock, `node:${node.id}`)

      const effects = store === undefined ? undefined : new KeyedEffects(node, store)
      const units = new Set<string>()
      let fault: TaktError | undefined
      let shown = ''
      const showStatus = (): void => {
        const silent = silence.silent
        const text = fault?.what ?? `${units.size} unit${units.size === 1 ? '' : 's'}${silent > 0 ? `, ${silent} silent` : ''}`
        if (text === shown) return
        shown = text
        if (fault !== undefined) node.status({ fill: 'red', shape: 'ring', text: text.slice(0, 60) })
        else node.status({ fill: units.size === 0 || silent > 0 ? 'yellow' : 'green', shape: units.size === 0 ? 'ring' : 'dot', text })
      }

      const queue = new UnitQueue<Item>(async (equipment, items) => {
        try {
          const happened = await recorder.record(
            equipment,
            items.map(({ fact }) => fact),
          )
          for (const { release } of items) release?.()
          units.add(equipment)
          fault = undefined
          tell(
            equipment,
            happened,
            items.findLast(({ message }) => message !== undefined),
          )
        } catch (thrown) {
          fault = toTaktError(thrown, where)
          throw fault
        } finally {
          showStatus()
        }
      })
      const tell = (equipment: string, { states, counts }: Happened, last: Item | undefined): void => {
        const send = last?.send ?? (node.send.bind(node) as Send)
        const out = (payload: MachineState | Count): Message => ({ ...last?.message, topic: `${equipment}/${payload.kind}`, payload })
        // the last part is told before the state that ends its job
        if (counts.length > 0) send([null, counts.map(out)])
        if (states.length > 0) send([states.map(out)])
      }
      /** What no message waits for. */
      const inBackground = (work: Promise<void>): void => void work.catch((error: TaktError) => node.error(error))

      const silence = new SilenceWatch()
      const forget = followPlant(
        node,
        plantNode,
        (plant) => silence.follow(plant, staleAfterMs),
        (problem) => {
          fault = problem
          showStatus()
        },
      )
      let ticked = performance.now()
      const timer = setInterval(() => {
        const now = performance.now()
        // a process that was held up has samples waiting that it did not read yet
        const elapsedMs = Math.min(now - ticked, 2 * TICK_MS) * clock.rate
        ticked = now
        for (const { equipment, quietMs, limitMs } of silence.pass(elapsedMs, clock.rate)) {
          const received = clock.now()
          const fact: UnitFact = { what: 'silent', time: Math.round(received - quietMs), received, why: `no sample for ${Math.round(limitMs / 1000)} s` }
          inBackground(queue.add(equipment, { fact }))
        }
        if (queue.failing > 0) queue.retry().catch(() => {})
        showStatus()
      }, TICK_MS).unref()

      const take = (sample: Sample, message: Message, send: Send): Promise<void> | undefined => {
        const { equipment, signal: name, quality } = sample
        const bound = plantNode.plant().signal(`${equipment}/${name}`)
        if (bound === undefined) return undefined
        const mark = inboxMarkOf(message)
        const said = inOrderOf(readFact(sample, bound.signal, where), mark)
        const items: Item[] = said === undefined ? [] : [{ fact: said, message, send, release: effects?.hold(message) ?? (() => {}) }]
        const received = clock.now()
        // what is sent again says nothing about whether the unit is there now
        const isHeard = quality !== 'bad' && mark?.replayed !== true && silence.heard(equipment, bound.signal.role)
        if (isHeard) items.push({ fact: { what: 'heard', time: received, received }, message, send })
        return items.length === 0 ? undefined : queue.add(equipment, ...items)
      }

      return {
        input(message, send) {
          const { payload, topic } = message
          try {
            if (isSample(payload)) return take(payload, message, send)
            // from a plain flow: a value whose topic is a signal of the plant; anything else is for others
            if (typeof payload === 'object' || typeof topic !== 'string' || plantNode.plant().signal(topic) === undefined) return undefined
            return take(read(message) as Sample, message, send)
          } catch (thrown) {
            bad.report(toTaktError(thrown, where), { topic, payload })
            return undefined
          }
        },
        async close(removed) {
          forget()
          clearInterval(timer)
          await queue.idle()
          if (!removed && volatile !== undefined) file?.save(volatile.state)
        },
      }
    },
  })
}

/** Room for the messages of one row between two rows of the inbox. */
const MESSAGES_A_ROW = 65_536

/** A fact of a guaranteed message knows its place, so that a replay leaves what is known of the same moment as it is. */
function inOrderOf(fact: UnitFact | undefined, mark: { readonly inbox: number; readonly index: number } | undefined): UnitFact | undefined {
  return fact === undefined || mark === undefined ? fact : { ...fact, order: mark.inbox + mark.index / MESSAGES_A_ROW }
}

function secondsOf(value: string | number | undefined, where: string): number | undefined {
  if (value === undefined || value === '') return undefined
  const seconds = Number(value)
  if (!Number.isFinite(seconds) || seconds <= 0)
    throw new TaktError('TAKT_CONFIG_INVALID', { what: `'${value}' seconds of silence where a number above 0 is taken`, where })
  return seconds * 1000
}
