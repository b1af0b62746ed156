import { join } from 'node:path'
import type { NodeAPI, NodeDef } from 'node-red'
import { systemClock } from '../../core/base/clock.ts'
import { type TaktError, toTaktError } from '../../core/base/error.ts'
import { uniqueId } from '../../core/base/id.ts'
import { StateFile } from '../../core/base/state-file.ts'
import { AnomalyWatch, type WatchCommand } from '../../core/detect/anomaly-watch.ts'
import { Making } from '../../core/detect/making.ts'
import { ordersOf } from '../../core/detect/orders-of.ts'
import { recordAnomaly, standingAnomalies } from '../../core/detect/record-anomaly.ts'
import { RunningUnits } from '../../core/detect/running-units.ts'
import { selection } from '../../core/detect/selection.ts'
import { fileMemory, storeMemory } from '../../core/detect/watch-memory.ts'
import type { Anomaly } from '../../core/messages/anomaly.ts'
import type { Sample } from '../../core/messages/sample.ts'
import { hasKind, validateAnyDocument, validateDocument } from '../../core/messages/validate.ts'
import { UnitQueue } from '../../core/signal/unit-queue.ts'
import type { PlantNode } from '../plant/plant.ts'
import { BadInput } from '../shared/bad-input.ts'
import { defineNode, type Message, nameOf, type Send } from '../shared/define-node.ts'
import { optionalConfigNode } from '../shared/lookup.ts'
import { isSample, sampleReader } from '../shared/sample-fields.ts'
import type { StoreNode } from '../store/store.ts'
import { nothingMeant, watchCommand } from './command.ts'
import { ForgottenContexts } from './forgotten-contexts.ts'
import { type AnomalyFields, readSettings } from './settings.ts'

export interface AnomalyConfig extends NodeDef, AnomalyFields {
  plant: string
  store: string
}

interface Waiting {
  readonly anomaly: Anomaly
  readonly message: Message
  readonly send: Send
}

/** Signals of which nothing was heard for so long are forgotten, ms. */
const FORGET_AFTER_MS = 30 * 86_400_000
const STATUS_MS = 1000
/** Messages kept while the memory is being read. */
const EARLY_KEPT = 10_000

export default function registerAnomaly(RED: NodeAPI): void {
  defineNode<AnomalyConfig>(RED, {
    type: 'takt-anomaly',
    create(node, config) {
      const where = nameOf(node)
      const plantNode = optionalConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const store = optionalConfigNode<StoreNode>(RED, node, config.store, 'store')?.store
      const clock = plantNode?.clock ?? systemClock
      const plant = plantNode === undefined ? undefined : () => plantNode.plant()
      const settings = readSettings(config, plant !== undefined, where)
      const bad = new BadInput(node, { store, now: () => clock.now() })
      const read = sampleReader(RED, node, config, { clock, plant })
      const file = new StateFile(join(RED.settings.userDir ?? process.cwd(), 'takt', `anomaly-${node.id}.json`))
      const memory = store === undefined ? fileMemory(file) : storeMemory(store, node.id)
      const isWired = ((node as { wires?: unknown[][] }).wires?.[1]?.length ?? 1) > 0

      const running = new RunningUnits(settings.judgeOnlyIn, settings.settleMs)
      const making = new Making(settings.context, running, store === undefined ? undefined : ordersOf(store))
      const forgottenContexts = new ForgottenContexts((what) => node.warn(`${where}: ${what}`))
      const watchSetting = {
        ...settings,
        running,
        ...(settings.context === 'none' ? {} : { making }),
        ids: uniqueId,
        select: selection(settings, plant),
        forgotten: (signals: number) => node.warn(`${where}: ${signals} signal${signals === 1 ? '' : 's'} of which nothing was heard lately forgotten`),
        contextForgotten: forgottenContexts.add,
      }
      let watch: AnomalyWatch | undefined
      let early: Array<() => void> = []
      let dirty = false

      const opened = (async () => {
        let saved: unknown
        let standing: Anomaly[] | undefined
        try {
          saved = await memory.load()
          standing = store === undefined ? undefined : await standingAnomalies(store)
        } catch (thrown) {
          // better to learn anew than not to watch
          node.error(toTaktError(thrown, where))
        }
        watch = new AnomalyWatch(watchSetting, saved)
        if (standing !== undefined) watch.reconcile(standing)
        for (const take of early) take()
        early = []
      })()

      // roles and alarm limits may have changed; what was learned stays
      const forget = plantNode?.onReload(() => {
        if (watch !== undefined) watch = new AnomalyWatch(watchSetting, watch.state)
      })

      const recording = new UnitQueue<Waiting>(async (_equipment, waiting) => {
        for (const { anomaly, message, send } of waiting)
          tell(store === undefined ? anomaly : await recordAnomaly(store, anomaly, `node:${node.id}`), message, send)
      })
      const tell = (anomaly: Anomaly, message: Message, send: Send): void => {
        send([{ ...message, topic: `${anomaly.equipment}/anomaly`, payload: anomaly }, null])
      }

      /** Judges one sample; a promise only where an alarm has to be recorded first. */
      const judge = (sample: Sample, message: Message, send: Send): Promise<void> | undefined => {
        if (watch === undefined) return undefined
        const track = typeof sample.value === 'number' ? watch.trackOf(sample) : undefined
        if (track === undefined) {
          running.saw(sample, plant?.().signal(`${sample.equipment}/${sample.signal}`)?.signal.role)
          return undefined
        }
        const anomaly = watch.judge(track, sample)
        dirty = true
        if (isWired) {
          message.anomaly = track.scored()
          send([null, message])
        }
        if (anomaly === undefined) return undefined
        saveSoon()
        if (store !== undefined) return recording.add(anomaly.equipment, { anomaly, message, send })
        tell(anomaly, message, send)
        return undefined
      }

      /** What a person said; the alarms that it cleared are told like any other. */
      const obey = (command: WatchCommand, message: Message, send: Send): Promise<void> | undefined => {
        const done = watch?.command(command)
        if (done === undefined) return undefined
        if (done.signals === 0) throw nothingMeant(command, where)
        dirty = true
        saveSoon()
        if (store === undefined) for (const anomaly of done.cleared) tell(anomaly, message, send)
        else return Promise.all(done.cleared.map((anomaly) => recording.add(anomaly.equipment, { anomaly, message, send }))).then(() => {})
        return undefined
      }

      const take = (message: Message, send: Send): Promise<void> | undefined => {
        const { payload } = message
        if (isSample(payload)) return judge(payload, message, send)
        if (Array.isArray(payload)) {
          const parts = payload.map((part) => take({ ...message, payload: part as unknown }, send)).filter((part) => part !== undefined)
          return parts.length === 0 ? undefined : Promise.all(parts).then(() => {})
        }
        try {
          if (hasKind(payload)) {
            if (settings.context !== 'none' && (payload.kind === 'job-order' || payload.kind === 'work-order'))
              making.told(validateAnyDocument(payload, ['job-order', 'work-order'], where))
            if (payload.kind === 'machine-state') running.told(validateDocument(payload, 'machine-state', where))
            // it lacks what a sample must have: this says what
            if (payload.kind === 'sample') validateDocument(payload, 'sample', where)
            return undefined
          }
          const command = watchCommand(payload, where)
          if (command !== undefined) return obey(command, message, send)
          const sample = read(message)
          if (sample instanceof Promise) return sample.then((made) => judge(made, { ...message, payload: made }, send))
          return judge(sample, { ...message, payload: sample }, send)
        } catch (thrown) {
          bad.report(toTaktError(thrown, where), { topic: message.topic, payload })
          return undefined
        }
      }

      const save = async (): Promise<void> => {
        if (watch === undefined || !dirty) return
        dirty = false
        watch.forgetIdle(clock.now() - FORGET_AFTER_MS)
        await memory.save(watch.state)
      }
      const saveInBackground = (): void => void save().catch((thrown: unknown) => node.error(toTaktError(thrown, where)))
      let soon: NodeJS.Timeout | undefined
      /** An alarm and what was learned until then belong together. */
      const saveSoon = (): void => {
        soon ??= setTimeout(() => {
          soon = undefined
          saveInBackground()
        }, STATUS_MS).unref()
      }

      let shown = ''
      const showStatus = (): void => {
        if (watch === undefined) return
        const { signals, alarms } = watch
        const text = `${alarms > 0 ? `${alarms} alarm${alarms === 1 ? '' : 's'}, ` : ''}${signals} signal${signals === 1 ? '' : 's'}${bad.count > 0 ? `, ${bad.count} bad` : ''}`
        if (text === shown) return
        shown = text
        node.status({ fill: alarms > 0 ? 'red' : signals > 0 ? 'green' : 'grey', shape: signals > 0 ? 'dot' : 'ring', text })
      }
      const statusTimer = setInterval(() => {
        showStatus()
        forgottenContexts.report(performance.now())
        if (recording.failing > 0) recording.retry().catch((error: TaktError) => node.status({ fill: 'red', shape: 'ring', text: error.what.slice(0, 60) }))
      }, STATUS_MS).unref()
      const saveTimer = setInterval(saveInBackground, settings.saveEveryMs).unref()

      return {
        input(message, send) {
          if (watch !== undefined) return take(message, send)
          if (early.length >= EARLY_KEPT) return undefined
          return new Promise((resolve, reject) => early.push(() => void Promise.resolve(take(message, send)).then(resolve, reject)))
        },
        async close(removed) {
          forget?.()
          clearInterval(statusTimer)
          clearInterval(saveTimer)
          clearTimeout(soon)
          await opened
          await recording.idle()
          if (removed) file.remove()
          else await save()
        },
      }
    },
  })
}
