import { TaktError } from '../../core/base/error.ts'
import { WATCH_COMMANDS, type WatchCommand } from '../../core/detect/anomaly-watch.ts'

const FIELDS: readonly string[] = ['command', 'equipment', 'signal']

/**
 * What a payload like `{ command: 'retrain', equipment?, signal? }` tells the node; undefined where it is no such thing, but a machine's own object that happens
 * to have a command in it. Throws TAKT_MESSAGE_INVALID where it is one and is wrong.
 */
export function watchCommand(payload: unknown, where: string): WatchCommand | undefined {
  if (typeof payload !== 'object' || payload === null || !Object.hasOwn(payload, 'command')) return undefined
  if (Object.keys(payload).some((key) => !FIELDS.includes(key))) return undefined
  const { command, equipment, signal } = payload as Record<string, unknown>
  const known = WATCH_COMMANDS.find((name) => name === command)
  if (known === undefined) throw invalid(`command '${String(command)}' is none of ${WATCH_COMMANDS.join(', ')}`, where)
  return { command: known, equipment: nameOf(equipment, 'equipment', where), signal: nameOf(signal, 'signal', where) }
}

/** No watched signal is meant by it. */
export function nothingMeant({ command, equipment, signal }: WatchCommand, where: string): TaktError {
  const meant = [equipment, signal].filter((part) => part !== undefined).join('/')
  const what = meant === '' ? `nothing is watched that ${command} could mean` : `'${meant}' is not watched, so ${command} does nothing`
  return new TaktError('TAKT_SIGNAL_UNKNOWN', { what, where })
}

function nameOf(given: unknown, what: string, where: string): string | undefined {
  if (given === undefined || given === null || given === '') return undefined
  if (typeof given !== 'string') throw invalid(`the ${what} of a command is ${typeof given} where a text is taken`, where)
  return given
}

function invalid(what: string, where: string): TaktError {
  return new TaktError('TAKT_MESSAGE_INVALID', { what, where })
}
