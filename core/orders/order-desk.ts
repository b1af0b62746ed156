import { TaktError } from '../base/error.ts'
import { assertSafe } from '../base/json.ts'
import type { JobOrder } from '../messages/job-order.ts'
import type { OrderTemplate } from '../messages/order-template.ts'
import type { WorkOrder } from '../messages/work-order.ts'
import type { Plant } from '../plant/plant.ts'
import type { Store, StoreTransaction } from '../store/store.ts'
import type { Because } from './change-job-order.ts'
import { changeWorkOrder } from './change-work-order.ts'
import { cancelWorkOrder, closeWorkOrder, commandJobOrder, holdWorkOrder, resumeWorkOrder } from './control-work-order.ts'
import { readImportFile } from './import/import-file.ts'
import { type ImportSummary, importOrders, type TakeOnce } from './import/import-orders.ts'
import type { OrderMapping } from './import/order-mapping.ts'
import { readOrders } from './import/read-orders.ts'
import { requestMaintenance } from './maintenance.ts'
import { readMaterialTime, setMaterialTime } from './material-time.ts'
import { mergeWorkOrders } from './merge-work-orders.ts'
import { assertText } from './order-text.ts'
import { readOrderChange } from './read-order-change.ts'
import { releaseWorkOrder } from './release-work-order.ts'
import { splitWorkOrder } from './split-work-order.ts'
import { stopWorkOrder } from './stop-work-order.ts'
import { fillFromTemplates, namesTemplate, readTemplate, saveTemplate } from './templates.ts'

export const DESK_TOPICS = [
  'create',
  'import',
  'release',
  'hold',
  'resume',
  'complete',
  'cancel',
  'close',
  'split',
  'merge',
  'change',
  'rush',
  'command',
  'maintenance',
  'material',
  'template',
] as const
export type DeskTopic = (typeof DESK_TOPICS)[number]

export interface OrderDeskSettings {
  /** Release orders as soon as they are created. */
  readonly autoRelease: boolean
  /** How files and ERP messages say what orders need. */
  readonly mapping: OrderMapping
  /** The only folder that files are read from. */
  readonly importFolder: string | undefined
  readonly where: string
}

/** What came of a request: the documents as they stand now, and for imports what became of every row. */
export interface DeskAnswer {
  readonly documents: readonly (WorkOrder | JobOrder | OrderTemplate)[]
  readonly summary?: ImportSummary
  /** one order was asked for, and was not there before */
  readonly created?: boolean
}

/** Takes what people and ERP systems ask of orders. What it cannot do it refuses with a coded error, and then nothing has changed. */
export class OrderDesk {
  readonly #store: Store
  readonly #plant: () => Plant
  readonly #settings: OrderDeskSettings

  constructor(store: Store, plant: () => Plant, settings: OrderDeskSettings) {
    this.#store = store
    this.#plant = plant
    this.#settings = settings
  }

  /** `once` takes the key of a message that may come again: what it asked for is done once. */
  async handle(topic: DeskTopic, payload: unknown, because: Because, once?: TakeOnce): Promise<DeskAnswer> {
    const { where } = this.#settings
    if (!(payload instanceof Uint8Array)) assertSafe(payload, where)
    if (topic !== 'create' && topic !== 'import') assertText(payload, where)
    switch (topic) {
      case 'create':
      case 'import':
        return this.#take(topic, payload, because, once)
      case 'split': {
        const { quantity, as, why } = fields(payload, where)
        const split = { quantity: Number(quantity), ...(as === undefined ? {} : { as: id(as, 'as', where) }) }
        return this.#do(once, async (tx) => splitWorkOrder(tx, this.#plant(), await workOrderIdOf(tx, payload, where), split, withWhy(because, why)))
      }
      case 'merge': {
        const { orders, why } = fields(payload, where)
        if (!Array.isArray(orders)) throw new TaktError('TAKT_MESSAGE_INVALID', { what: "'orders' is no list of orders", where })
        return this.#do(once, async (tx) => {
          const ids: string[] = []
          for (const order of orders) ids.push(await workOrderIdOf(tx, order, where))
          return mergeWorkOrders(tx, ids, withWhy(because, why))
        })
      }
      case 'change':
      case 'rush': {
        const { why } = fields(payload, where)
        const change = readOrderChange(payload, this.#plant(), topic === 'rush', where)
        return this.#do(once, async (tx) => [await changeWorkOrder(tx, await workOrderIdOf(tx, payload, where), change, withWhy(because, why))])
      }
      case 'command': {
        const { jobOrder, command, why } = fields(payload, where)
        return this.#do(once, async (tx) => [await commandJobOrder(tx, id(jobOrder, 'jobOrder', where), command, withWhy(because, why))])
      }
      case 'maintenance': {
        const { equipment, deadline, kind, why, cause = why } = fields(payload, where)
        const request = {
          equipment: id(equipment, 'equipment', where),
          kind: kind === 'unplanned' ? ('unplanned' as const) : ('planned' as const),
          deadline: typeof deadline === 'number' ? deadline : null,
          cause: typeof cause === 'string' && cause !== '' ? cause : 'asked for by a person',
        }
        return this.#do(once, async (tx) => {
          const { workOrder, jobOrder } = await requestMaintenance(tx, this.#plant(), { ...request, actor: because.actor })
          return [workOrder, jobOrder]
        })
      }
      case 'material': {
        const asked = (Array.isArray(payload) ? payload : [payload]).map((item) => ({ time: readMaterialTime(item, this.#plant(), where), item }))
        return this.#do(once, async (tx) => {
          const documents: (WorkOrder | JobOrder)[] = []
          for (const { time, item } of asked) documents.push(await setMaterialTime(tx, time, withWhy(because, (item as { why?: unknown }).why)))
          return documents
        })
      }
      case 'template': {
        const template = readTemplate(payload, this.#plant(), where)
        const { why } = fields(payload, where)
        return this.#do(once, async (tx) => [await saveTemplate(tx, template, withWhy(because, why))])
      }
      default:
        return this.#control(topic, payload, because, once)
    }
  }

  async #take(topic: 'create' | 'import', payload: unknown, because: Because, once: TakeOnce | undefined): Promise<DeskAnswer> {
    const { mapping, autoRelease, importFolder, where } = this.#settings
    const file = fileNamed(payload)
    const plant = this.#plant()
    const isFromTemplate = topic === 'create' && file === undefined && namesTemplate(payload)
    const whole = isFromTemplate ? await this.#store.transaction((tx) => fillFromTemplates(tx, payload, plant, tx.now, where)) : payload
    const input = file === undefined ? whole : await readImportFile(file, importFolder, where)
    const source = file ?? where
    const read = readOrders(input, topic === 'create' && file === undefined && areRequests(input) ? {} : mapping, plant, source)
    const { summary, orders: documents } = await importOrders(this.#store, plant, read, autoRelease, because, once)
    const [problem] = summary.problems
    // what was asked for one order is answered for one order
    if (read.rows === 1 && problem !== undefined) throw new TaktError(problem.code, { what: problem.what, where: `order ${problem.order ?? '(without id)'}` })
    return read.rows === 1 ? { documents, created: summary.created > 0 } : { documents, summary }
  }

  #control(topic: 'release' | keyof typeof CONTROLS, payload: unknown, because: Because, once: TakeOnce | undefined): Promise<DeskAnswer> {
    const { where } = this.#settings
    const why = typeof payload === 'object' && payload !== null && !Array.isArray(payload) ? (payload as { why?: unknown }).why : undefined
    return this.#do(once, async (tx) => {
      const documents: WorkOrder[] = []
      for (const named of Array.isArray(payload) ? payload : [payload]) {
        const order = await workOrderIdOf(tx, named, where)
        const reason = withWhy(because, why)
        documents.push(topic === 'release' ? await releaseWorkOrder(tx, this.#plant(), order, reason) : await CONTROLS[topic](tx, order, reason))
      }
      return documents
    })
  }

  async #do(once: TakeOnce | undefined, work: (tx: StoreTransaction) => Promise<DeskAnswer['documents']>): Promise<DeskAnswer> {
    return { documents: await this.#store.transaction(async (tx) => (once === undefined || (await once(tx, '')) ? work(tx) : [])) }
  }
}

const CONTROLS = { hold: holdWorkOrder, resume: resumeWorkOrder, complete: stopWorkOrder, cancel: cancelWorkOrder, close: closeWorkOrder } as const

/** An order by its id, by `{ id }`, or by the number that another system has for it. */
async function workOrderIdOf(tx: StoreTransaction, named: unknown, where: string): Promise<string> {
  if (typeof named === 'string' && named !== '') return named
  const { id: own, external } = fields(named, where)
  if (typeof own === 'string' && own !== '') return own
  const { system, id: number } = fields(external, where)
  const [order] = await tx.list('work-order', {
    where: { external_system: id(system, 'external.system', where), external_id: id(number, 'external.id', where) },
  })
  if (order === undefined) throw new TaktError('TAKT_ORDER_UNKNOWN', { what: `there is no order '${String(number)}' of ${String(system)}`, where })
  return order.id
}

function fields(payload: unknown, where: string): Record<string, unknown> {
  if (typeof payload === 'object' && payload !== null && !Array.isArray(payload)) return payload as Record<string, unknown>
  throw new TaktError('TAKT_MESSAGE_INVALID', { what: `an object is needed here, not ${payload === null ? 'null' : `a ${typeof payload}`}`, where })
}

function id(value: unknown, name: string, where: string): string {
  if (typeof value === 'string' && value !== '' && value.length <= 500) return value
  throw new TaktError('TAKT_MESSAGE_INVALID', { what: `'${name}' is missing or no id`, where })
}

function withWhy({ actor, why }: Because, said: unknown): Because {
  return { actor, why: typeof said === 'string' && said !== '' ? said.slice(0, 1000) : why }
}

/** `orders.csv`, or `{ file: 'orders.csv' }`. */
function fileNamed(payload: unknown): string | undefined {
  if (typeof payload === 'string') return /^[^\r\n]{1,250}\.(csv|json|txt)$/i.test(payload.trim()) ? payload.trim() : undefined
  if (typeof payload !== 'object' || payload === null || !Object.hasOwn(payload, 'file')) return undefined
  const { file } = payload as { file: unknown }
  return typeof file === 'string' ? file : undefined
}

/** Requests in Takt's own words need no mapping. */
function areRequests(payload: unknown): boolean {
  const list: readonly unknown[] = Array.isArray(payload) ? payload : [payload]
  return list.every(
    (item) =>
      typeof item === 'object' &&
      item !== null &&
      Object.hasOwn(item, 'quantity') &&
      ['product', 'workMaster', 'operations'].some((name) => Object.hasOwn(item, name)),
  )
}
