import { rm } from 'node:fs/promises'
import { isAbsolute, resolve } from 'node:path'
import type { Node, NodeAPI, NodeStatus } from 'node-red'
import { TaktError } from '../../core/base/error.ts'
import { DocumentPoints, type HistoryDocument } from '../../core/connect/influx/document-points.ts'
import type { InfluxLink } from '../../core/connect/influx/influx-link.ts'
import { InfluxWriter } from '../../core/connect/influx/influx-writer.ts'
import { RunMark } from '../../core/connect/influx/run-mark.ts'
import type { Gap } from '../../core/messages/gap.ts'
import type { Plant } from '../../core/plant/plant.ts'
import { isDiskAt } from '../../core/store/disk-budget.ts'
import { recordGap } from '../../core/store/gaps.ts'
import type { SampleRing } from '../../core/store/sample-ring.ts'
import type { Store } from '../../core/store/store.ts'
import type { BadInput } from '../shared/bad-input.ts'
import { type Message, nameOf } from '../shared/define-node.ts'
import { inboxMarkOf, KeyedEffects } from '../shared/keyed-effects.ts'
import type { WriteSettings } from './settings.ts'

/** Where write mode puts what comes in. */
export interface Keeper {
  /** Throws TAKT_INFLUX_POINT for what cannot be kept. */
  keep(document: HistoryDocument, message: Message): void
  status(bad: number): NodeStatus
  close(removed: boolean): Promise<void>
}

export interface InfluxKeeping {
  readonly RED: NodeAPI
  readonly link: InfluxLink
  /** Name of the config node, for gaps. */
  readonly database: string
  readonly store: Store | undefined
  readonly plant: (() => Plant) | undefined
  readonly bad: BadInput
  readonly settings: WriteSettings
}

const LONGEST_TEXT = 60
/** How often it is written down from when on rows are in memory only, real ms. */
const REMEMBER_MS = 1000
/** Without a row for so long, real ms, the node is no longer green. */
const QUIET_MS = 60_000

/** The store's ring keeps samples for charts; it has no use for anything else. */
export function keepInRing(ring: SampleRing): Keeper {
  let kept = 0
  return {
    keep(document) {
      if (document.kind !== 'sample') return
      ring.append(document)
      kept++
    },
    status: (bad) => ({
      fill: kept > 0 ? 'green' : 'grey',
      shape: kept > 0 ? 'dot' : 'ring',
      text: `${kept.toLocaleString('en')} sample${kept === 1 ? '' : 's'} to the store${tail(bad, 'bad')}`,
    }),
    close: () => ring.flush().catch(() => {}),
  }
}

/** Batches to InfluxDB, and a spool on disk while it is away. What will never be written is declared: rows in quarantine, gaps with their bounds. */
export function keepInInflux(node: Node, { RED, link, database, store, plant, bad, settings }: InfluxKeeping): Keeper {
  const where = nameOf(node)
  const effects = store === undefined ? undefined : new KeyedEffects(node, store)
  const points = new DocumentPoints({ plant, context: settings.context, where })
  const folder = isAbsolute(settings.folder) ? settings.folder : resolve(RED.settings.userDir ?? process.cwd(), settings.folder)

  const declare = (code: 'TAKT_HISTORIAN_DROPPED' | 'TAKT_HISTORIAN_KILLED', why: string, from: number, to: number, lost?: number): void => {
    const gap: Gap = { kind: 'gap', source: `${database}, ${where}`, from, to, code, why, ...(lost !== undefined && { lost }) }
    const message = { topic: `${gap.source}/gap`, payload: gap }
    node.error(new TaktError(code, { what: `${why}: ${new Date(from).toISOString()} to ${new Date(to).toISOString()}`, where }), message as never)
    node.send(message as never)
    if (store !== undefined) recordGap(store, gap, `node:${node.id}`).catch((thrown: unknown) => node.warn(`${where}: gap not recorded: ${String(thrown)}`))
  }

  const writer = new InfluxWriter({
    write: (body) => link.write(body),
    folder,
    maxSpoolBytes: settings.maxSpoolBytes,
    batchRows: settings.batchRows,
    batchMs: settings.batchMs,
    where,
    // a disk that is nearly full belongs to orders and records
    mayKeep: () => store === undefined || !isDiskAt(store, 'stop'),
    rejected: ({ line, reason }) => bad.report(new TaktError('TAKT_INFLUX_POINT', { what: reason, where }), { payload: line }),
    dropped: (rows, from, to) =>
      declare('TAKT_HISTORIAN_DROPPED', `${rows} value${rows === 1 ? '' : 's'} could not be kept until the database is back`, from, to, rows),
    problem(problem) {
      // that the server is away is told by its own node
      if (problem !== undefined && problem.code !== 'TAKT_INFLUX_AWAY' && problem.code !== 'TAKT_INFLUX_TLS') node.error(problem)
    },
  })
  const user = {
    linkChanged(state: InfluxLink['state']) {
      if (state === 'connected') writer.retry()
    },
  }
  link.register(user)

  const mark = new RunMark(`${folder}.running.json`)
  let missingFrom = mark.earlier()
  /** Of a row that the inbox does not have. */
  let lastFast: number | undefined
  const remember = (): void => {
    if (lastFast === undefined) return
    const { unsafeFrom } = writer.figures
    try {
      if (unsafeFrom !== undefined) return mark.write(Math.min(unsafeFrom, lastFast))
      // all is written or on disk: the next row is marked again as soon as it comes
      mark.remove()
      lastFast = undefined
    } catch (thrown) {
      node.warn(`${where}: not remembered what is in memory: ${String(thrown)}`)
    }
  }
  const timer = setInterval(remember, REMEMBER_MS).unref()

  return {
    keep(document, message) {
      const point = points.pointOf(document)
      if (missingFrom !== undefined) {
        const why = 'Node-RED ended without warning: values that were in memory only may be missing'
        declare('TAKT_HISTORIAN_KILLED', why, Math.min(missingFrom, point.time), Math.max(missingFrom, point.time))
        missingFrom = undefined
      }
      if (effects !== undefined && inboxMarkOf(message) !== undefined) return writer.add(point, effects.hold(message))
      const isFirst = lastFast === undefined
      lastFast = point.time
      writer.add(point)
      if (isFirst) remember()
    },
    status(badRows) {
      const { written, dropped: lost, waiting, oldestMs, spoolBytes, problem, sinceWriteMs = 0 } = writer.figures
      const wait = `${waiting.toLocaleString('en')} waiting${spoolBytes > 0 ? `, ${sizeOf(spoolBytes)}` : ''}${oldestMs >= 1000 ? `, ${Math.round(oldestMs / 1000)} s` : ''}`
      const rest = `${tail(lost, 'dropped')}${tail(badRows, 'bad')}`
      if (problem !== undefined) return { fill: 'red', shape: 'ring', text: short(`${wait}${rest} · ${problem.what}`) }
      if (written === 0 && waiting === 0) return { fill: 'grey', shape: 'ring', text: `nothing to write yet${rest}` }
      if (waiting === 0 && sinceWriteMs > QUIET_MS) return { fill: 'yellow', shape: 'dot', text: `no data for ${Math.round(sinceWriteMs / 1000)} s${rest}` }
      const isBehind = spoolBytes > 0 || lost > 0
      return {
        fill: isBehind ? 'yellow' : 'green',
        shape: 'dot',
        text: short(`${written.toLocaleString('en')} written${spoolBytes > 0 ? ` · ${wait}` : ''}${rest}`),
      }
    },
    async close(removed) {
      clearInterval(timer)
      await writer.close()
      await link.deregister(user)
      // nothing came after the earlier end: it is told by the next that has something
      if (missingFrom === undefined) mark.remove()
      const { waiting } = writer.figures
      if (removed && waiting > 0)
        node.warn(`${where}: ${waiting} values wait in ${folder} that nobody will write; import it again with the same id, or delete the folder`)
      else if (removed) await rm(folder, { recursive: true, force: true })
    },
  }
}

function tail(count: number, what: string): string {
  return count > 0 ? ` · ${count.toLocaleString('en')} ${what}` : ''
}

function sizeOf(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}

function short(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT - 1)}…` : text
}
