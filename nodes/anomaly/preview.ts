import type { Node, NodeAPI } from 'node-red'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import { DEFAULT_BOUNDS, type Preview, preview } from '../../core/detect/preview/preview.ts'
import { storedSignals } from '../../core/detect/preview/stored-signals.ts'
import { selection } from '../../core/detect/selection.ts'
import type { Plant } from '../../core/plant/plant.ts'
import { sampleRingOf } from '../../core/store/sample-ring.ts'
import type { Store } from '../../core/store/store.ts'
import type { PlantNode } from '../plant/plant.ts'
import { startErrorOf } from '../shared/define-node.ts'
import { expandEnv } from '../shared/expand-env.ts'
import type { StoreNode } from '../store/store.ts'
import { assertKnown } from './known-signals.ts'
import { detectorFields } from './preview-fields.ts'
import { type AnomalyFields, type AnomalySettings, readSettings } from './settings.ts'

const PATH = '/takt/anomaly/preview'
const WHERE = 'anomaly preview'
/** A store that cannot be opened answers never. */
const PATIENCE_MS = 20_000

interface Request {
  readonly query: Readonly<Record<string, unknown>>
  readonly body?: unknown
}
interface Response {
  json(body: unknown): unknown
  status(code: number): Response
  on(event: 'close', listener: () => void): unknown
}

/** What a dialog asks: its fields as they are typed, and what is to be looked at. */
interface Question {
  /** id of the node, where one is deployed */
  readonly node: string
  readonly fields: AnomalyFields & { readonly plant?: string; readonly store?: string }
  readonly equipment: string
  readonly signal: string
  /** back from the newest sample, ms; 0: all there is */
  readonly spanMs: number
}

/** `now`: by the fields as typed; `before`: by those that are deployed, null where none are or they do not watch the signal. */
export interface PreviewAnswer {
  readonly now: Preview
  readonly before: Pick<Preview, 'alarms' | 'cost'> | null
}

/** The fields that each running node was deployed with. */
const deployed = new WeakMap<object, AnomalyFields>()

export function rememberDeployed(node: Node, config: AnomalyFields): void {
  deployed.set(node, config)
}

/**
 * For the dialog, with the permission `takt-anomaly.read`; nothing is changed. `GET …/signals?store&plant&roles&filter` gives the signals that the store has
 * numbers of, and why there are none; `POST …` a Question gives a PreviewAnswer, or 400 with `{ code, what, todo }`.
 */
export function servePreview(RED: NodeAPI): void {
  const may = RED.auth.needsPermission('takt-anomaly.read')
  RED.httpAdmin?.get(`${PATH}/signals`, may, (async ({ query }: Request, response: Response) => {
    try {
      response.json(await inTime(signals(RED, query)))
    } catch (thrown) {
      // that nothing is deployed yet is no error to a person who opens a dialog
      response.json({ signals: [], isMore: false, problem: told(thrown) })
    }
  }) as never)
  RED.httpAdmin?.post(PATH, may, (async ({ body }: Request, response: Response) => {
    let isGone = false
    response.on('close', () => {
      isGone = true
    })
    try {
      response.json(await inTime(answer(RED, questionOf(body), () => isGone)))
    } catch (thrown) {
      if (!isGone) response.status(400).json(told(thrown))
    }
  }) as never)
}

async function signals(RED: NodeAPI, query: Readonly<Record<string, unknown>>): Promise<unknown> {
  const fields = { store: textOf(query.store), plant: textOf(query.plant), roles: textOf(query.roles), filter: textOf(query.filter) }
  const { store, plant } = placeOf(RED, fields)
  const setting = readSettings({ ...expanded(RED, null, fields), method: 'auto' }, plant !== undefined, WHERE)
  const select = selection(setting, plant === undefined ? undefined : () => plant)
  return storedSignals(store, (equipment, signal) => select(equipment, signal) !== undefined)
}

async function answer(RED: NodeAPI, question: Question, isGone: () => boolean): Promise<PreviewAnswer> {
  const { fields, equipment, signal, spanMs } = question
  const node = question.node === '' ? null : RED.nodes.getNode(question.node)
  const { store, plant } = placeOf(RED, fields)
  const settings = (of: AnomalyFields): AnomalySettings => {
    const read = readSettings(expanded(RED, node, of), plant !== undefined, WHERE)
    if (plant !== undefined) assertKnown(read, () => plant, WHERE)
    return read
  }
  const wanted = settings(fields)
  const [newest] = await sampleRingOf(store).recent(equipment, signal, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 1)
  const to = newest?.time ?? 0
  const rest = async (): Promise<void> => {
    await DEFAULT_BOUNDS.rest()
    if (isGone()) throw new TaktError('TAKT_TIMEOUT', { what: 'nobody waits for the preview any more', where: WHERE })
  }
  const look = async (by: AnomalySettings): Promise<Preview> => {
    const view = { equipment, signal, from: spanMs > 0 ? to - spanMs : Number.MIN_SAFE_INTEGER, to, signals: await sharing(store, plant, by) }
    return preview(store, plant, by, view, { ...DEFAULT_BOUNDS, rest })
  }
  const now = await look(wanted)
  const running = node === null ? undefined : deployed.get(node)
  if (running === undefined) return { now, before: null }
  const before = await look(settings({ ...fields, ...detectorFields(running) })).catch(() => null)
  return { now, before: before === null ? null : { alarms: before.alarms, cost: before.cost } }
}

/** How many signals share the budget of false alarms: those that are watched and have samples. */
async function sharing(store: Store, plant: Plant | undefined, settings: AnomalySettings): Promise<number> {
  if (settings.falseAlarmsAWeek === undefined) return 1
  const select = selection(settings, plant === undefined ? undefined : () => plant)
  return (await storedSignals(store, (equipment, signal) => select(equipment, signal) !== undefined)).signals.length
}

/** The store and the plant of the fields, among the nodes that run. */
function placeOf(RED: NodeAPI, fields: { readonly store?: string; readonly plant?: string }): { readonly store: Store; readonly plant: Plant | undefined } {
  if (!fields.store) throw invalid('no store is chosen: there are no samples to look at')
  const { store } = running<StoreNode>(RED, fields.store, 'store')
  return { store, plant: fields.plant ? running<PlantNode>(RED, fields.plant, 'plant').plant() : undefined }
}

function running<T extends object>(RED: NodeAPI, id: string, what: string): T {
  const node = RED.nodes.getNode(id) as unknown as T | null
  if (node === null) throw invalid(`the ${what} is not deployed yet, or is disabled`)
  const broken = startErrorOf(node)
  if (broken !== undefined) throw broken
  return node
}

/** Environment variables filled in, as Node-RED does when the node is deployed. */
function expanded(RED: NodeAPI, node: Node | null, fields: AnomalyFields): AnomalyFields {
  const about = node ?? ({ id: 'preview', type: 'takt-anomaly', name: '' } as Node)
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? expandEnv(RED, about, value, name) : value]))
}

function questionOf(body: unknown): Question {
  const { node, fields, equipment, signal, spanMs } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  if (typeof fields !== 'object' || fields === null) throw invalid('there are no fields in the question')
  if (textOf(equipment) === '' || textOf(signal) === '') throw invalid('no signal is chosen')
  return { node: textOf(node), fields, equipment: textOf(equipment), signal: textOf(signal), spanMs: typeof spanMs === 'number' && spanMs > 0 ? spanMs : 0 }
}

function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TaktError('TAKT_TIMEOUT', { what: 'the store does not answer', where: WHERE })), PATIENCE_MS)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

function told(thrown: unknown): { readonly code: string; readonly what: string; readonly todo: string } {
  const { code, what, remedy } = toTaktError(thrown, WHERE)
  return { code, what, todo: remedy }
}

function invalid(what: string): TaktError {
  return new TaktError('TAKT_CONFIG_INVALID', { what, where: WHERE })
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}
