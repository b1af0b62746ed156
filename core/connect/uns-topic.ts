import { TaktError } from '../base/error.ts'
import { readPath } from '../base/json.ts'
import type { Document } from '../messages/document.ts'
import type { Plant } from '../plant/plant.ts'
import { isTopic } from './topics.ts'
import type { Place } from './uns-place.ts'

export interface UnsTopicSetting {
  readonly plant: Plant
  /** Empty: `<equipment>/<kind>/<name>`, the path of ISA-95. */
  readonly template: string
  /** Put before every topic; may be empty. */
  readonly prefix: string
  readonly where: string
}

/** Levels of ISA-95-2 as they are called in topics, from the top. */
const LEVELS = ['enterprise', 'site', 'area', 'line', 'unit'] as const
const LEVEL_OF = { enterprise: 'enterprise', site: 'site', area: 'area', workCenter: 'line', workUnit: 'unit' } as const

/** The topic of a document. Throws TAKT_UNS_TOPIC where the template asks for what the document does not have, or no topic comes out. */
export function unsTopic(document: Document, place: Place, setting: UnsTopicSetting): string {
  const { plant, template, prefix, where } = setting
  const equipment = place.equipment ?? plant.model.plant
  const path =
    template === ''
      ? [equipment, document.kind, ...(place.name === undefined ? [] : [levelText(place.name)])].join('/')
      : template.replace(/\{([^{}]+)\}/g, (_part, name: string) => {
          const value = named(name, document, place, equipment, plant)
          if (value === undefined)
            throw new TaktError('TAKT_UNS_TOPIC', { what: `the template names {${name}}, which this ${document.kind} does not have`, where })
          return value
        })
  const topic = prefix === '' ? path : `${prefix}/${path}`
  if (!isTopic(topic) || topic.startsWith('$') || topic.split('/').includes(''))
    throw new TaktError('TAKT_UNS_TOPIC', { what: `'${topic.slice(0, 200)}' is no topic to publish to`, where })
  return topic
}

/** Checks a template when it is set up, not when the first message comes. Throws TAKT_CONFIG_INVALID. */
export function checkTemplate(template: string, where: string): void {
  const rest = template.replace(/\{[^{}/+#]+\}/g, 'x')
  if (template === '' || (isTopic(rest) && !/[{}]/.test(rest) && !rest.split('/').includes(''))) return
  throw new TaktError('TAKT_CONFIG_INVALID', { what: `'${template}' is not a topic with names in braces`, where })
}

function named(name: string, document: Document, place: Place, equipment: string, plant: Plant): string | undefined {
  if (name === 'equipment') return equipment
  if (name === 'plant') return plant.model.plant
  if (name === 'kind') return document.kind
  if (name === 'name') return place.name === undefined ? undefined : levelText(place.name)
  const level = levelsOf(equipment, plant)[name]
  if (level !== undefined) return levelText(level)
  const value = readPath(document, name)
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined
  return value === '' ? undefined : levelText(String(value))
}

/** The levels above an equipment by what the plant model says they are; those it does not have fill up from the top. */
function levelsOf(equipment: string, plant: Plant): Readonly<Record<string, string>> {
  const levels: Record<string, string> = Object.create(null)
  const parts = equipment.split('/')
  const unknown: string[] = []
  for (const [index, part] of parts.entries()) {
    const found = plant.equipment(parts.slice(0, index + 1).join('/'))
    if (found === undefined) unknown.push(part)
    else levels[LEVEL_OF[found.level]] = part
  }
  for (const level of LEVELS) {
    const part = level in levels ? undefined : unknown.shift()
    if (part === undefined) break
    levels[level] = part
  }
  return levels
}

/** A text as one level of a topic: no separators, wildcards or control characters. */
function levelText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[/+#\u0000-\u001f\u007f]/g, '_')
}
