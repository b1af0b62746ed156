import { join } from 'node:path'
import type { NodeAPI, NodeDef } from 'node-red'
import { systemClock } from '../../core/base/clock.ts'
import { type TaktError, toTaktError } from '../../core/base/error.ts'
import { uniqueId } from '../../core/base/id.ts'
import { StateFile } from '../../core/base/state-file.ts'
import { StateFolder } from '../../core/base/state-folder.ts'
import { UntilOpen } from '../../core/base/until-open.ts'
import { AnomalyWatch, type WatchCommand } from '../../core/detect/anomaly-watch.ts'
import type { Challenger } from '../../core/detect/challenger/challenger.ts'
import { Making } from '../../core/detect/making.ts'
import { ordersOf } from '../../core/detect/orders-of.ts'
import { standingAnomalies } from '../../core/detect/record-anomaly.ts'
import { folderRecords, storeRecords } from '../../core/detect/record-memory.ts'
import { RunningUnits } from '../../core/detect/running-units.ts'
import { selection } from '../../core/detect/selection.ts'
import { WatchKeeper } from '../../core/detect/watch-keeper.ts'
import type { Anomaly } from '../../core/messages/anomaly.ts'
import type { Sample } from '../../core/messages/sample.ts'
import { validateAnyDocument, validateDocument } from '../../core/messages/validate.ts'
import type { PlantNode } from '../plant/plant.ts'
import { AlarmDesk, type AlarmDeskParts } from '../shared/alarm-desk.ts'
import { BadInput } from '../shared/bad-input.ts'
import { defineNode, type Message, nameOf, type Send } from '../shared/define-node.ts'
import { hearVerdicts } from '../shared/hear-verdicts.ts'
import { optionalConfigNode } from '../shared/lookup.ts'
import { sampleReader } from '../shared/sample-fields.ts'
import { serveScorecard } from '../shared/scorecard-endpoint.ts'
import { takeSamples } from '../shared/take-samples.ts'
import type { StoreNode } from '../store/store.ts'
import { nothingMeant, watchCommand } from './command.ts'
import { assertKnown, unknownIn } from './known-signals.ts'
import { rememberDeployed, servePreview } from './preview.ts'
import { type AnomalyFields, readSettings } from './settings.ts'
import { openShadow, removeShadow, serveShadow } from './shadow.ts'
import { tellsOfBounds } from './tells-of-bounds.ts'
import { WatchStatus } from './watch-status.ts'

export interface AnomalyConfig extends NodeDef, AnomalyFields {
  plant: string
  store: string
}

const TICK_MS = 1000
/** Messages kept while the memory is being read. */
const EARLY_KEPT = 10_000

export default function registerAnomaly(RED: NodeAPI): void {
  servePreview(RED)
  serveScorecard(RED)
  serveShadow(RED)
  defineNode<AnomalyConfig>(RED, {
    type: 'takt-anomaly',
    create(node, config) {
      const where = nameOf(node)
      const plantNode = optionalConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const store = optionalConfigNode<StoreNode>(RED, node, config.store, 'store')?.store
      const clock = plantNode?.clock ?? systemClock
      const plant = plantNode === undefined ? undefined : () => plantNode.plant()
      const settings = readSettings(config, plant !== undefined, where)
      if (plant !== undefined) assertKnown(settings, plant, where)
      rememberDeployed(node, config)
      const bad = new BadInput(node, { store, now: () => clock.now() })
      const read = sampleReader(RED, node, config, { clock, plant })
      const path = join(RED.settings.userDir ?? process.cwd(), 'takt', `anomaly-${node.id}`)
      const isWired = ((node as { wires?: unknown[][] }).wires?.[1]?.length ?? 1) > 0

      const running = new RunningUnits(settings.judgeOnlyIn, settings.settleMs)
      const making = new Making(settings.context, running, store === undefined ? undefined : ordersOf(store))
      const bounds = tellsOfBounds(settings.maxSignals, where, (what) => node.warn(what))
      const watchSetting = {
        ...settings,
        running,
        ...(settings.context === 'none' ? {} : { making }),
        ids: uniqueId,
        select: selection(settings, plant),
        ...bounds.hears,
      }
      const failed = (thrown: unknown): void => node.error(toTaktError(thrown, where))
      const memory = store === undefined ? folderRecords(new StateFolder(path), new StateFile(`${path}.json`)) : storeRecords(store, node.id)
      const keeper = new WatchKeeper({
        memory,
        make: (saved) => new AnomalyWatch(watchSetting, saved),
        ...(store === undefined ? {} : { standing: () => standingAnomalies(store, node.id) }),
        failed,
        now: () => clock.now(),
      })
      const { name: method } = settings.method
      const learn: AlarmDeskParts['learn'] = (id, decision) => {
        watch?.[decision](id)
        shadow?.said(id, decision)
      }
      const desk = new AlarmDesk({ node, name: node.name || `anomaly ${method}`, method, store, bad, now: () => clock.now(), learn, failed })
      // what was found at the repair, or shown by the trial after it
      const unhear = store === undefined ? undefined : hearVerdicts(store, node.id, learn)
      const status = new WatchStatus(node)
      const early = new UntilOpen(EARLY_KEPT)

      let watch: AnomalyWatch | undefined
      let shadow: Challenger | undefined
      const open = async (): Promise<void> => {
        const place = { store, memory, path, hasPlant: plant !== undefined, select: watchSetting.select, now: () => clock.now() }
        shadow = await openShadow(RED, node, config, settings, place)
        watch = await keeper.open()
        early.open()
      }
      const opened = open()
      // roles and alarm limits may have changed; what was learned stays
      const forget = plantNode?.onReload((now) => {
        status.problem = unknownIn(settings, now, where)
        if (status.problem !== undefined) failed(status.problem)
        for (const cleared of watch?.reselect() ?? []) tell([cleared], {}, node.send.bind(node) as Send)?.catch(failed)
        shadow?.reselect()
      })

      /** Judges one sample; a promise only where an alarm has to be recorded first. */
      const judge = (sample: Sample, message: Message, send: Send): Promise<void> | undefined => {
        watch?.hear(sample)
        const track = typeof sample.value === 'number' ? watch?.trackOf(sample) : undefined
        if (watch === undefined || track === undefined) {
          const role = plant?.().signal(`${sample.equipment}/${sample.signal}`)?.signal.role
          running.saw(sample, role)
          shadow?.judge(sample, role)
          return undefined
        }
        const { taken } = track
        const anomaly = watch.judge(track, sample)
        const beside = shadow?.judge(sample)
        // only what a running unit says
        if (track.taken !== taken) desk.saw(sample)
        if (isWired) {
          message.anomaly = beside === undefined ? track.scored() : { ...track.scored(), shadow: beside }
          send([null, message])
        }
        return anomaly === undefined ? undefined : tell([anomaly], message, send)
      }

      /** What a person said; the alarms that it cleared are told like any other. */
      const obey = (command: WatchCommand, message: Message, send: Send): Promise<void> | undefined => {
        const done = watch?.command(command)
        if (done === undefined) return undefined
        if (done.signals === 0) throw nothingMeant(command, where)
        shadow?.command(command)
        return tell(done.cleared, message, send)
      }

      const tell = (anomalies: readonly Anomaly[], message: Message, send: Send): Promise<void> | undefined => {
        shadow?.incumbent(anomalies)
        // an alarm and what was learned until then belong together
        for (const { equipment, signals } of anomalies) keeper.alarmed(equipment, signals[0] ?? '')
        const recorded = anomalies.map((anomaly) => desk.tell(anomaly, message, send)).filter((done) => done !== undefined)
        return recorded.length === 0 ? undefined : Promise.all(recorded).then(() => {})
      }

      const take = takeSamples({
        where,
        bad,
        read,
        judge,
        document(payload) {
          if (payload.kind === 'machine-state') {
            const state = validateDocument(payload, 'machine-state', where)
            running.told(state)
            shadow?.told(state)
          } else if ((settings.context !== 'none' || shadow !== undefined) && (payload.kind === 'job-order' || payload.kind === 'work-order')) {
            const order = validateAnyDocument(payload, ['job-order', 'work-order'], where)
            making.told(order)
            shadow?.ordered(order)
          }
        },
        said(message, send) {
          const said = desk.feedback(message, send)
          if (said !== undefined) return said
          const command = watchCommand(message.payload, where)
          // done even where no alarm has to be told
          return command === undefined ? undefined : (obey(command, message, send) ?? Promise.resolve())
        },
      })

      const ticking = setInterval(() => {
        if (watch !== undefined) status.show({ signals: watch.signals, alarms: watch.alarms, bad: bad.count, isFull: watch.isFull, cycleless: watch.cycleless })
        bounds.report(performance.now())
        keeper.saveAlarms().catch(failed)
        shadow?.saveAlarms().catch(failed)
        desk.tick().catch((error: TaktError) => status.fault(error.what))
      }, TICK_MS).unref()
      const save = (): void => void Promise.all([keeper.save(), shadow?.save()]).catch(failed)
      const saving = setInterval(save, settings.saveEveryMs).unref()

      return {
        input: (message, send) => early.run(() => take(message, send)),
        async close(removed) {
          forget?.()
          unhear?.()
          clearInterval(ticking)
          clearInterval(saving)
          await opened
          await desk.idle()
          if (removed) {
            await keeper.remove()
            await removeShadow(node, store, path)
            await desk.drop()
          } else {
            await keeper.saveAll()
            await shadow?.saveAll()
          }
        },
      }
    },
  })
}
