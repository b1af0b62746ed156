import type { Node, NodeAPI } from 'node-red'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import { uniqueId } from '../../core/base/id.ts'
import { StateFile } from '../../core/base/state-file.ts'
import { StateFolder } from '../../core/base/state-folder.ts'
import type { WatchSetting } from '../../core/detect/anomaly-watch.ts'
import { Challenger, type Duel } from '../../core/detect/challenger/challenger.ts'
import { settleChallenger } from '../../core/detect/challenger/challenger-record.ts'
import { ordersOf } from '../../core/detect/orders-of.ts'
import { folderRecords, type RecordMemory, storeRecords } from '../../core/detect/record-memory.ts'
import type { Store } from '../../core/store/store.ts'
import { nameOf } from '../shared/define-node.ts'
import { expandEnv } from '../shared/expand-env.ts'
import { detectorFields } from './preview-fields.ts'
import { type AnomalyFields, type AnomalySettings, readSettings } from './settings.ts'

const PATH = '/takt/anomaly/:id/shadow'
const WHERE = 'anomaly shadow'

/** What the dialog gets; `duel` null: there is no challenger, or its memory is still being read. */
export interface ShadowAnswer {
  readonly deployed: boolean
  readonly duel: Duel | null
}

interface Place {
  readonly store: Store | undefined
  /** of the running detector */
  readonly memory: RecordMemory
  /** where memories are files: what their names begin with */
  readonly path: string
  readonly hasPlant: boolean
  readonly select: WatchSetting['select']
  readonly now: () => number
}

interface Request {
  readonly params: Readonly<Record<string, string>>
}
interface Response {
  json(body: unknown): unknown
  status(code: number): Response
}

/** Nodes that run, and how their challengers do. */
const shadows = new WeakMap<object, () => Promise<Duel | null>>()

/** `GET /takt/anomaly/<id>/shadow` with the permission `takt-anomaly.read` gives a ShadowAnswer, or 400 with `{ code, what, todo }`. */
export function serveShadow(RED: NodeAPI): void {
  RED.httpAdmin?.get(PATH, RED.auth.needsPermission('takt-anomaly.read'), (async ({ params }: Request, response: Response) => {
    try {
      const node = RED.nodes.getNode(String(params.id))
      const ask = node === null || node === undefined ? undefined : shadows.get(node)
      response.json({ deployed: ask !== undefined, duel: (await ask?.()) ?? null } satisfies ShadowAnswer)
    } catch (thrown) {
      const { code, what, remedy: todo } = toTaktError(thrown, WHERE)
      response.status(400).json({ code, what, todo })
    }
  }) as never)
}

/** The challenger of a node, opened; undefined where none is set. To be awaited before the running detector reads its memory: it may have been taken over. */
export async function openShadow(RED: NodeAPI, node: Node, config: AnomalyFields, settings: AnomalySettings, place: Place): Promise<Challenger | undefined> {
  const { store, path, memory, select, now } = place
  const failed = (thrown: unknown): void => node.error(toTaktError(thrown, nameOf(node)))
  let challenger: Challenger | undefined
  shadows.set(node, async () => (await challenger?.duel(store)) ?? null)
  const shadowMemory = memoryOf(node.id, store, path)
  const wanted = challengerOf(RED, node, config, place.hasPlant)
  const running = keyOf(settings)
  const key = wanted === undefined ? undefined : keyOf(wanted)
  try {
    const records = await settleChallenger(memory, shadowMemory, running, key)
    if (wanted === undefined || key === undefined || key === running) return undefined
    const made = new Challenger(
      {
        ...wanted,
        maxSignals: settings.maxSignals,
        select,
        key,
        memory: shadowMemory,
        ids: uniqueId,
        ask: store === undefined ? undefined : ordersOf(store),
        failed,
        now,
      },
      records,
    )
    await made.open()
    challenger = made
    return made
  } catch (thrown) {
    // better without a challenger than without a watch
    failed(thrown)
    return undefined
  }
}

/** The node is no more: nothing of a challenger stays. */
export function removeShadow(node: Node, store: Store | undefined, path: string): Promise<void> {
  return memoryOf(node.id, store, path).remove()
}

function memoryOf(id: string, store: Store | undefined, path: string): RecordMemory {
  if (store !== undefined) return storeRecords(store, `${id}/shadow`)
  return folderRecords(new StateFolder(`${path}-shadow`), new StateFile(`${path}-shadow.json`))
}

/** Its settings; undefined where there is none. What is wrong with it is told: the running detector goes on without. */
function challengerOf(RED: NodeAPI, node: Node, config: AnomalyFields, hasPlant: boolean): AnomalySettings | undefined {
  const { challenger = '' } = config
  if (challenger.trim() === '') return undefined
  const where = `${nameOf(node)}, detector in shadow`
  try {
    const fields: unknown = JSON.parse(challenger)
    if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) throw new SyntaxError('it is no object')
    // Node-RED fills in environment variables only in fields of the node itself
    const filled = Object.entries(detectorFields(fields)).map(([name, value]) => [name, typeof value === 'string' ? expandEnv(RED, node, value, name) : value])
    return readSettings({ ...config, ...Object.fromEntries(filled) }, hasPlant, where)
  } catch (thrown) {
    const what = `what is to run in shadow cannot be read: ${String((thrown as Error).message)}`
    node.error(thrown instanceof SyntaxError ? new TaktError('TAKT_CONFIG_INVALID', { what, where }) : toTaktError(thrown, where))
    return undefined
  }
}

/** What tells settings from others, as far as they decide about alarms. */
function keyOf({ roles: _roles, patterns: _patterns, maxSignals: _most, saveEveryMs: _every, ...detection }: AnomalySettings): string {
  return JSON.stringify(detection)
}
