import { TaktError } from '../base/error.ts'

/** How bodies are written: B2MML in JSON, or the document as it is. */
export const ERP_FORMATS = ['b2mml', 'json'] as const
/** When a whole work order is reported: never, when all of it is made, or when people have closed it. */
export const ORDER_REPORTS = ['none', 'completed', 'closed'] as const

/** What goes to one ERP, and of which orders. */
export interface ErpChannel {
  /** Stable: its place in the ledger and the ids of its messages hang on it. */
  readonly name: string
  /** Whose orders: those with a number of this system; empty: of any; `*`: all orders, also those without a number. */
  readonly system: string
  /** Report each job order when it is over. */
  readonly jobs: boolean
  readonly orders: (typeof ORDER_REPORTS)[number]
  readonly maintenance: boolean
  /** Name who did it. */
  readonly people: boolean
  readonly format: (typeof ERP_FORMATS)[number]
}

/** Throws TAKT_CONFIG_INVALID. */
export function checkChannel(given: { readonly [K in keyof ErpChannel]?: unknown }, where: string): ErpChannel {
  const name = String(given.name ?? '').trim() || 'erp'
  const wrong = (what: string): TaktError => new TaktError('TAKT_CONFIG_INVALID', { what, where })
  if (!/^[\w.-]{1,40}$/.test(name)) throw wrong(`the channel is called '${name}' where letters, digits, dots and dashes are taken`)
  const choice = <const T extends string>(value: unknown, among: readonly T[], what: string): T => {
    const found = value === undefined || value === '' ? among[0] : among.find((known) => known === value)
    if (found === undefined) throw wrong(`${what} is '${String(value)}' where ${among.join(', ')} is taken`)
    return found
  }
  const channel = {
    name,
    system: String(given.system ?? '').trim(),
    jobs: given.jobs !== false,
    orders: choice(given.orders, ORDER_REPORTS, 'the report of work orders'),
    maintenance: given.maintenance === true,
    people: given.people !== false,
    format: choice(given.format, ERP_FORMATS, 'the format'),
  }
  if (!channel.jobs && channel.orders === 'none') throw wrong('neither job orders nor work orders are to be reported')
  return channel
}

/** The outbox's destination of a channel. */
export function destinationOf({ name }: Pick<ErpChannel, 'name'>): string {
  return `erp:${name}`
}
