import { join } from 'node:path'
import type { NodeAPI, NodeDef } from 'node-red'
import { systemClock } from '../../core/base/clock.ts'
import { toTaktError } from '../../core/base/error.ts'
import { StateFile } from '../../core/base/state-file.ts'
import { UntilOpen } from '../../core/base/until-open.ts'
import { PrognosisWatch } from '../../core/detect/prognosis/prognosis-watch.ts'
import { RunningUnits } from '../../core/detect/running-units.ts'
import { fileMemory, storeMemory } from '../../core/detect/watch-memory.ts'
import type { Sample } from '../../core/messages/sample.ts'
import { validateDocument } from '../../core/messages/validate.ts'
import { spanText } from '../../core/orders/disruption/why.ts'
import type { PlantNode } from '../plant/plant.ts'
import { BadInput } from '../shared/bad-input.ts'
import { defineNode, type Message, nameOf, type Send, showError } from '../shared/define-node.ts'
import { optionalConfigNode } from '../shared/lookup.ts'
import { sampleReader } from '../shared/sample-fields.ts'
import { takeSamples } from '../shared/take-samples.ts'
import type { StoreNode } from '../store/store.ts'
import { assertKnown, type PrognosisFields, readSettings, targetOf } from './settings.ts'

export interface PrognosisConfig extends NodeDef, PrognosisFields {
  plant: string
  store: string
}

/** Signals of which nothing was heard for so long are forgotten, ms. */
const FORGET_AFTER_MS = 30 * 86_400_000
const STATUS_MS = 1000
/** Messages kept while the memory is being read. */
const EARLY_KEPT = 10_000

export default function registerPrognosis(RED: NodeAPI): void {
  defineNode<PrognosisConfig>(RED, {
    type: 'takt-prognosis',
    create(node, config) {
      const where = nameOf(node)
      const plantNode = optionalConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const store = optionalConfigNode<StoreNode>(RED, node, config.store, 'store')?.store
      const clock = plantNode?.clock ?? systemClock
      const plant = plantNode === undefined ? undefined : () => plantNode.plant()
      const settings = readSettings(config, plant !== undefined, where)
      if (plant !== undefined) assertKnown(settings, plant, where)
      const bad = new BadInput(node, { store, now: () => clock.now() })
      const read = sampleReader(RED, node, config, { clock, plant })
      const file = new StateFile(join(RED.settings.userDir ?? process.cwd(), 'takt', `prognosis-${node.id}.json`))
      const memory = store === undefined ? fileMemory(file) : storeMemory(store, node.id)
      const isWired = ((node as { wires?: unknown[][] }).wires?.[1]?.length ?? 1) > 0

      const running = new RunningUnits(settings.judgeOnlyIn, settings.settleMs)
      const watchSetting = {
        maxSignals: settings.maxSignals,
        running,
        select: targetOf(settings, plant),
        forgotten: (signals: number) => node.warn(`${where}: ${signals} signal${signals === 1 ? '' : 's'} of which nothing was heard lately forgotten`),
      }
      let watch: PrognosisWatch | undefined
      const early = new UntilOpen(EARLY_KEPT)
      let dirty = false

      const opened = (async () => {
        let saved: unknown
        try {
          saved = await memory.load()
        } catch (thrown) {
          // better to learn anew than to foretell nothing
          node.error(toTaktError(thrown, where))
        }
        watch = new PrognosisWatch(watchSetting, saved)
        early.open()
      })()

      // roles, units and alarm limits may have changed; what was learned on the way to the same limit stays
      const forget = plantNode?.onReload(() => {
        if (watch === undefined) return
        watch = new PrognosisWatch(watchSetting, watch.state)
        try {
          if (plant !== undefined) assertKnown(settings, plant, where)
        } catch (thrown) {
          const error = toTaktError(thrown, where)
          node.error(error)
          showError(node, error)
        }
      })

      const judge = (sample: Sample, message: Message, send: Send): undefined => {
        const value = settings.indicator === 'score' ? scoreIn(message) : sample.value
        const track = typeof value === 'number' ? watch?.trackOf(sample) : undefined
        if (watch === undefined || track === undefined || typeof value !== 'number') {
          running.saw(sample, plant?.().signal(`${sample.equipment}/${sample.signal}`)?.signal.role)
          return
        }
        const prognosis = watch.take(track, sample, value)
        dirty = true
        if (isWired) {
          message.prognosis = track.foretold()
          send([null, message])
        }
        if (prognosis !== undefined) send([{ ...message, topic: `${prognosis.equipment}/prognosis`, payload: prognosis }, null])
      }

      const take = takeSamples({
        where,
        bad,
        read,
        judge,
        document(payload) {
          if (payload.kind === 'machine-state') running.told(validateDocument(payload, 'machine-state', where))
        },
      })

      const save = async (): Promise<void> => {
        if (watch === undefined || !dirty) return
        dirty = false
        watch.forgetIdle(clock.now(), FORGET_AFTER_MS)
        await memory.save(watch.state)
      }
      const saveInBackground = (): void => void save().catch((thrown: unknown) => node.error(toTaktError(thrown, where)))

      let shown = ''
      const showStatus = (): void => {
        if (watch === undefined) return
        const { signals } = watch
        const { signals: ending, soonest } = watch.ending
        const trend =
          ending > 0
            ? `${ending} of ${signals}: first in ${spanText(soonest - clock.now())}`
            : signals > 0
              ? `no trend, ${signals} signal${signals === 1 ? '' : 's'}`
              : 'no signals'
        const text = `${trend}${bad.count > 0 ? `, ${bad.count} bad` : ''}`
        if (text === shown) return
        shown = text
        node.status({ fill: ending > 0 ? 'yellow' : signals > 0 ? 'green' : 'grey', shape: signals > 0 ? 'dot' : 'ring', text })
      }
      const statusTimer = setInterval(showStatus, STATUS_MS).unref()
      const saveTimer = setInterval(saveInBackground, settings.saveEveryMs).unref()

      return {
        input: (message, send) => early.run(() => take(message, send)),
        async close(removed) {
          forget?.()
          clearInterval(statusTimer)
          clearInterval(saveTimer)
          await opened
          if (removed) await memory.remove()
          else await save()
        },
      }
    },
  })
}

/** The score that an anomaly node put beside the sample; a value that it did not judge, without an expected value, has none. */
function scoreIn({ anomaly }: Message): number | undefined {
  if (typeof anomaly !== 'object' || anomaly === null) return undefined
  const { score } = anomaly as { score?: unknown }
  return typeof score === 'number' ? score : undefined
}
