import type { NodeAPI } from 'node-red'
import { type Clock, systemClock } from '../../core/base/clock.ts'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import { type History, historyOf } from '../../core/connect/history/history.ts'
import { formatAnswer } from '../../core/connect/history/history-answer.ts'
import { readHistoryRequest } from '../../core/connect/history/history-request.ts'
import { ringHistory } from '../../core/connect/history/ring-history.ts'
import { HISTORY_KINDS, type HistoryDocument } from '../../core/connect/influx/document-points.ts'
import { influxHistory } from '../../core/connect/influx/influx-history.ts'
import type { LinkUser } from '../../core/connect/shared-link.ts'
import { hasKind, validateAnyDocument } from '../../core/messages/validate.ts'
import { sampleRingOf } from '../../core/store/sample-ring.ts'
import type { InfluxdbNode } from '../influxdb/influxdb.ts'
import type { PlantNode } from '../plant/plant.ts'
import { BadInput } from '../shared/bad-input.ts'
import { defineNode, type Handlers, type Message, nameOf } from '../shared/define-node.ts'
import { optionalConfigNode } from '../shared/lookup.ts'
import { isSample, sampleReader } from '../shared/sample-fields.ts'
import type { StoreNode } from '../store/store.ts'
import { type Keeper, keepInInflux, keepInRing } from './keeper.ts'
import { type HistorianConfig, readQuerySettings, readWriteSettings } from './settings.ts'

const STATUS_MS = 1000
const KINDS: ReadonlySet<string> = new Set(HISTORY_KINDS)

export default function registerHistorian(RED: NodeAPI): void {
  defineNode<HistorianConfig>(RED, {
    type: 'takt-historian',
    create(node, config) {
      const where = nameOf(node)
      const influx = optionalConfigNode<InfluxdbNode>(RED, node, config.influxdb, 'InfluxDB')
      const store = optionalConfigNode<StoreNode>(RED, node, config.store, 'store')?.store
      const plantNode = optionalConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const clock = plantNode?.clock ?? systemClock
      if (influx === undefined && store === undefined)
        throw new TaktError('TAKT_CONFIG_INVALID', { what: 'neither an InfluxDB nor a store is chosen: there is nowhere to keep anything', where })

      if (config.mode === 'query') {
        const { link } = influx ?? {}
        const source = link === undefined ? ringHistory(sampleRingOf(store as StoreNode['store'])) : influxHistory((statement) => link.query(statement))
        const user: LinkUser = {
          linkChanged(state, problem) {
            if (state === 'away') node.status({ fill: 'red', shape: 'ring', text: (problem?.what ?? 'away').slice(0, 60) })
            else node.status({ fill: state === 'connected' ? 'green' : 'yellow', shape: 'ring', text: state })
          },
        }
        link?.register(user)
        const handlers = answer(config, historyOf(source), clock, where, (text) => node.status({ fill: 'green', shape: 'dot', text }))
        return { ...handlers, close: () => link?.deregister(user) }
      }

      const bad = new BadInput(node, { store, now: () => clock.now() })
      const plant = plantNode === undefined ? undefined : () => plantNode.plant()
      const read = sampleReader(RED, node, config, { clock, plant })
      const keeper: Keeper =
        influx === undefined
          ? keepInRing(sampleRingOf(store as StoreNode['store']))
          : keepInInflux(node, { RED, link: influx.link, database: nameOf(influx), store, plant, bad, settings: readWriteSettings(config, where) })

      let shown = ''
      const timer = setInterval(() => {
        const status = keeper.status(bad.count)
        const text = JSON.stringify(status)
        if (text !== shown) node.status(status)
        shown = text
      }, STATUS_MS).unref()

      const keep = (document: HistoryDocument, message: Message): void => {
        try {
          keeper.keep(document, message)
        } catch (thrown) {
          bad.report(toTaktError(thrown, where), { topic: message.topic, payload: document })
        }
      }

      const take = (message: Message): void | Promise<void> => {
        const { payload } = message
        if (isSample(payload)) return keep(payload, message)
        if (Array.isArray(payload)) {
          for (const part of payload) take({ ...message, payload: part as unknown })
          return
        }
        try {
          if (hasKind(payload)) {
            // orders, plans and their like have no place on a time axis
            if (KINDS.has(payload.kind)) keep(validateAnyDocument(payload, HISTORY_KINDS, where), message)
            return
          }
          const sample = read(message)
          return sample instanceof Promise ? sample.then((made) => keep(made, message)) : keep(sample, message)
        } catch (thrown) {
          bad.report(toTaktError(thrown, where), { topic: message.topic, payload })
        }
      }

      return {
        input: take,
        async close(removed) {
          clearInterval(timer)
          await keeper.close(removed)
        },
      }
    },
  })
}

/** Query mode: a question comes in, the past goes out. */
function answer(config: HistorianConfig, history: History, clock: Clock, where: string, told: (text: string) => void): Handlers {
  const settings = readQuerySettings(config, where)
  return {
    async input(message, send) {
      const topic = settings.topic ?? (message.topic?.includes('/') ? message.topic : undefined)
      const request = readHistoryRequest(message.payload, { ...settings, topic }, clock.now(), where)
      const series = await history.query(request)
      const values = series.reduce((sum, { points }) => sum + points.length, 0)
      told(`${values.toLocaleString('en')} value${values === 1 ? '' : 's'}`)
      const { from, to } = request
      send({
        ...message,
        // a chart shows this answer, not this after the one before
        ...(settings.format === 'chart' ? { action: 'replace' } : {}),
        payload: formatAnswer(series, settings.format),
        history: { from, to, series: series.map(({ points, ...about }) => ({ ...about, values: points.length })) },
      })
    },
  }
}
