import { isObject } from './check.ts'

type Fields = Readonly<Record<string, unknown>>

/** A document without its events, and its events. What it was comes back from the two, field by field. */
export interface Framed {
  /** null for an event that came by itself */
  readonly frame: Fields | null
  readonly events: readonly Fields[]
}

/** Where the events stand, by the type of the document. */
const PATHS: Readonly<Record<string, readonly string[]>> = {
  EPCISDocument: ['epcisBody', 'eventList'],
  EPCISQueryDocument: ['epcisBody', 'queryResults', 'resultsBody', 'eventList'],
}

/** Pointer of the event list, `/epcisBody/eventList`; empty for an event by itself. */
export function eventPath(document: Fields): string {
  return pathOf(document)
    .map((name) => `/${name}`)
    .join('')
}

/** Of a document that was checked. */
export function unframe(document: Fields): Framed {
  const path = pathOf(document)
  if (path.length === 0) return { frame: null, events: [document] }
  let list: unknown = document
  for (const name of path) list = isObject(list) ? list[name] : undefined
  return { frame: replaced(document, path, []), events: Array.isArray(list) ? list : [] }
}

export function reframe({ frame, events }: Framed): Fields {
  return frame === null ? (events[0] ?? {}) : replaced(frame, pathOf(frame), events)
}

function pathOf({ type }: Fields): readonly string[] {
  return typeof type === 'string' && Object.hasOwn(PATHS, type) ? (PATHS[type] ?? []) : []
}

function replaced(value: Fields, [name = '', ...rest]: readonly string[], events: readonly unknown[]): Fields {
  const inner = value[name]
  return { ...value, [name]: rest.length === 0 ? events : replaced(isObject(inner) ? inner : {}, rest, events) }
}
