import { TaktError } from '../base/error.ts'
import type { Signal, SignalRole } from '../plant/model.ts'

/** `role`: guaranteed for what is counted and recorded, fast for telemetry. */
export const DELIVERY_SETTINGS = ['role', 'guaranteed', 'fast'] as const
export type DeliverySetting = (typeof DELIVERY_SETTINGS)[number]

/** Roles whose values make records: each of them counts. */
const RECORDED: ReadonlySet<SignalRole> = new Set<SignalRole>(['packml-state', 'packml-mode', 'job-order', 'good-count', 'scrap-count', 'characteristic'])

/** A sensor's setting. Throws TAKT_CONFIG_INVALID for a word that is none, and where `guaranteed` has no store to be kept in. */
export function deliverySetting(value: unknown, hasStore: boolean, where: string): DeliverySetting {
  const setting = value === undefined || value === null || value === '' ? 'role' : value
  if (!DELIVERY_SETTINGS.some((known) => known === setting))
    throw new TaktError('TAKT_CONFIG_INVALID', { what: `delivery is '${String(value)}' where one of ${DELIVERY_SETTINGS.join(', ')} is taken`, where })
  if (setting === 'guaranteed' && !hasStore) throw new TaktError('TAKT_CONFIG_INVALID', { what: 'guaranteed delivery needs a store', where })
  return setting as DeliverySetting
}

/** Whether the values of this signal are guaranteed. By `role` a signal's own wish in the plant model goes before its role. */
export function isGuaranteed(setting: DeliverySetting, signal: Signal | undefined, hasStore: boolean): boolean {
  if (!hasStore || setting === 'fast') return false
  if (setting === 'guaranteed') return true
  const wish = signal?.source?.delivery
  return wish === undefined ? RECORDED.has(signal?.role ?? 'other') : wish === 'guaranteed'
}
