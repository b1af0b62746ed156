import { TaktError } from '../../core/base/error.ts'
import { checkChannel, type ErpChannel } from '../../core/erp/channel.ts'
import type { HttpTarget } from '../../core/erp/http-post.ts'
import { numberSetting } from '../shared/settings.ts'

/** The fields of the dialog, as flows keep them. */
export interface ErpOutFields {
  channel?: string
  system?: string
  jobs?: boolean
  orders?: string
  maintenance?: boolean
  people?: boolean
  format?: string
  /** `now` or `beginning`: where a channel that is new begins */
  from?: string
  /** seconds after an end until it is reported */
  settle?: string | number
  /** `http`, or `message`: a flow brings it to the ERP */
  transport?: string
  url?: string
  method?: string
  auth?: string
  /** id of a core tls-config */
  tls?: string
  /** seconds that the ERP, or the flow, has to answer */
  timeout?: string | number
  numberAt?: string
}

export interface ErpOutCredentials {
  readonly user?: string
  readonly password?: string
  readonly token?: string
}

export interface ErpOutSettings {
  readonly channel: ErpChannel
  readonly from: 'now' | 'beginning'
  readonly settleMs: number
  readonly timeoutMs: number
  readonly numberAt: string
  /** Undefined: messages are handed out. */
  readonly http: Omit<HttpTarget, 'tls' | 'where'> | undefined
}

/** Throws TAKT_CONFIG_INVALID. `expand` fills in environment variables. */
export function erpOutSettings(
  fields: ErpOutFields,
  credentials: ErpOutCredentials | undefined,
  expand: (text: string, what: string) => string,
  where: string,
): ErpOutSettings {
  const number = numberSetting(where)
  const channel = checkChannel({ ...fields, name: expand(fields.channel ?? '', 'the channel'), system: expand(fields.system ?? '', 'the system') }, where)
  const timeoutMs = number(fields.timeout, 'the time to answer', 30, 1, 600) * 1000
  const numberAt = (fields.numberAt ?? '').trim()
  const choice = <const T extends string>(value: string | undefined, among: readonly [T, ...T[]], what: string): T => {
    const found = value === undefined || value === '' ? among[0] : among.find((known) => known === value)
    if (found === undefined) throw new TaktError('TAKT_CONFIG_INVALID', { what: `${what} is '${value}' where ${among.join(', ')} is taken`, where })
    return found
  }
  const method = choice(fields.method, ['POST', 'PUT'], 'the method')
  const isHttp = choice(fields.transport, ['http', 'message'], 'the transport') === 'http'
  const auth = choice(fields.auth, ['none', 'basic', 'bearer'], 'the login')
  const secret = (text: string | undefined, what: string): string => {
    const value = expand(text ?? '', what)
    if (value === '') throw new TaktError('TAKT_CONFIG_INVALID', { what: `${what} for the ERP is missing`, where })
    return value
  }
  const authorization = (): string | undefined => {
    if (auth === 'bearer') return `Bearer ${secret(credentials?.token, 'the token')}`
    if (auth === 'none') return undefined
    const login = `${secret(credentials?.user, 'the user')}:${expand(credentials?.password ?? '', 'the password')}`
    return `Basic ${Buffer.from(login).toString('base64')}`
  }
  return {
    channel,
    from: choice(fields.from, ['now', 'beginning'], 'where it begins'),
    settleMs: number(fields.settle, 'the wait after the end', 5, 0, 86_400) * 1000,
    timeoutMs,
    numberAt,
    http: isHttp ? { url: expand(fields.url ?? '', 'the URL').trim(), method, timeoutMs, authorization: authorization(), numberAt } : undefined,
  }
}
