import { join } from 'node:path'
import type { NodeAPI, NodeDef } from 'node-red'
import { type TaktError, toTaktError } from '../../core/base/error.ts'
import { uniqueId } from '../../core/base/id.ts'
import { StateFile } from '../../core/base/state-file.ts'
import { UntilOpen } from '../../core/base/until-open.ts'
import { GROUP_METHOD, GroupWatch, type GroupWatchSetting, type JudgedRow } from '../../core/detect/group/group-watch.ts'
import { standingAnomalies } from '../../core/detect/record-anomaly.ts'
import { RunningUnits } from '../../core/detect/running-units.ts'
import { fileMemory, storeMemory } from '../../core/detect/watch-memory.ts'
import type { Anomaly } from '../../core/messages/anomaly.ts'
import type { Sample } from '../../core/messages/sample.ts'
import { validateDocument } from '../../core/messages/validate.ts'
import type { PlantNode } from '../plant/plant.ts'
import { AlarmDesk } from '../shared/alarm-desk.ts'
import { BadInput } from '../shared/bad-input.ts'
import { defineNode, type Message, nameOf, type Send } from '../shared/define-node.ts'
import { optionalConfigNode, requireConfigNode } from '../shared/lookup.ts'
import { sampleReader } from '../shared/sample-fields.ts'
import { takeSamples } from '../shared/take-samples.ts'
import type { StoreNode } from '../store/store.ts'
import { type GroupFields, readGroup, readSettings } from './settings.ts'
import { statusOf } from './status.ts'

export interface AnomalyGroupConfig extends NodeDef, GroupFields {
  plant: string
  store: string
}

const STATUS_MS = 1000
/** Messages kept while the memory is being read. */
const EARLY_KEPT = 10_000

export default function registerAnomalyGroup(RED: NodeAPI): void {
  defineNode<AnomalyGroupConfig>(RED, {
    type: 'takt-anomaly-group',
    create(node, config) {
      const where = nameOf(node)
      const plantNode = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const store = optionalConfigNode<StoreNode>(RED, node, config.store, 'store')?.store
      const { clock } = plantNode
      const plant = (): ReturnType<PlantNode['plant']> => plantNode.plant()
      const settings = readSettings(config, where)
      const bad = new BadInput(node, { store, now: () => clock.now() })
      const { equipment: _equipment, ...sampleFields } = config
      const read = sampleReader(RED, node, sampleFields, { clock, plant })
      const file = new StateFile(join(RED.settings.userDir ?? process.cwd(), 'takt', `anomaly-group-${node.id}.json`))
      const memory = store === undefined ? fileMemory(file) : storeMemory(store, node.id)
      const isWired = ((node as { wires?: unknown[][] }).wires?.[1]?.length ?? 1) > 0

      const running = new RunningUnits(settings.judgeOnlyIn, settings.settleMs)
      const settingOf = (): GroupWatchSetting => {
        const group = readGroup(config, plant(), where)
        return { ...settings, ...group, learnFor: settings.learnFor(group.topics.length), running, ids: uniqueId }
      }
      let setting = settingOf()
      let watch: GroupWatch | undefined
      const early = new UntilOpen(EARLY_KEPT)
      let dirty = false
      /** what is wrong with the group since the plant model was loaded anew */
      let trouble: TaktError | undefined

      const opened = (async () => {
        let saved: unknown
        let standing: Anomaly[] | undefined
        try {
          saved = await memory.load()
          standing = store === undefined ? undefined : await standingAnomalies(store, node.id)
        } catch (thrown) {
          // better to learn anew than not to watch
          node.error(toTaktError(thrown, where))
        }
        watch = new GroupWatch(setting, saved)
        if (standing !== undefined) watch.reconcile(standing)
        early.open()
      })()

      // the group may have other signals now, and is then learned anew; one that is gone is told, and the group goes on as it was
      const forget = plantNode.onReload(() => {
        try {
          setting = settingOf()
          trouble = undefined
        } catch (thrown) {
          trouble = toTaktError(thrown, where)
          node.error(trouble)
          return
        }
        if (watch !== undefined) watch = new GroupWatch(setting, watch.state)
      })

      const desk = new AlarmDesk({
        node,
        name: node.name || `${GROUP_METHOD} of ${setting.equipment.slice(setting.equipment.lastIndexOf('/') + 1)}`,
        method: GROUP_METHOD,
        store,
        bad,
        now: () => clock.now(),
        // what a group has learned does not depend on what people say: it learns nothing while an alarm stands
        learn: () => {},
        failed: (thrown) => node.error(toTaktError(thrown, where)),
      })

      /** Tells of a row; a promise only where an alarm has to be recorded first. */
      const say = (judged: JudgedRow | undefined, message: Message, send: Send): Promise<void> | undefined => {
        dirty = true
        if (judged === undefined) return undefined
        const { scored, anomaly } = judged
        desk.watches(scored.equipment)
        if (isWired) send([null, { ...message, topic: `${scored.equipment}/anomaly-score`, payload: scored }])
        if (anomaly === undefined) return undefined
        saveSoon()
        return desk.tell(anomaly, message, send)
      }

      const judge = (sample: Sample, message: Message, send: Send): Promise<void> | undefined => {
        if (watch === undefined) return undefined
        running.saw(sample, plant().signal(`${sample.equipment}/${sample.signal}`)?.signal.role)
        return say(watch.take(sample), message, send)
      }

      const samples = takeSamples({
        where,
        bad,
        read,
        judge,
        document(payload) {
          if (payload.kind === 'machine-state') running.told(validateDocument(payload, 'machine-state', where))
        },
        said: (message, send) => desk.feedback(message, send),
      })
      const take = (message: Message, send: Send): Promise<void> | undefined =>
        message.retrain === true ? say(watch?.forget(clock.now(), 'retrain', 'somebody had it learn anew'), message, send) : samples(message, send)

      const save = async (): Promise<void> => {
        if (watch === undefined || !dirty) return
        dirty = false
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
      let asked = false
      const showStatus = (): void => {
        if (watch === undefined) return
        const { fill, shape, text } = statusOf(watch, setting.topics.length, bad.count, trouble)
        if (text === shown) return
        if (watch.asksPerson && !asked)
          node.warn(`${where}: an alarm stands for long. If it is a fault, repair it; if it is the new normal, send retrain: true`)
        asked = watch.asksPerson
        shown = text
        node.status({ fill, shape, text })
      }
      const statusTimer = setInterval(() => {
        showStatus()
        desk.tick().catch((error: TaktError) => node.status({ fill: 'red', shape: 'ring', text: error.what.slice(0, 60) }))
      }, STATUS_MS).unref()
      const saveTimer = setInterval(saveInBackground, settings.saveEveryMs).unref()

      return {
        input: (message, send) => early.run(() => take(message, send)),
        async close(removed) {
          forget()
          clearInterval(statusTimer)
          clearInterval(saveTimer)
          clearTimeout(soon)
          await opened
          await desk.idle()
          if (removed) {
            await memory.remove()
            await desk.drop()
          } else await save()
        },
      }
    },
  })
}
