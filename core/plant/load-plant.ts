import { readFileSync } from 'node:fs'
import { parse, YAMLParseError } from 'yaml'
import { TaktError } from '../base/error.ts'
import { checkPlant } from './check-plant.ts'
import type { Plant } from './plant.ts'

/** A plant from text: YAML, of which JSON is a part. */
export function parsePlant(text: string, where: string): Plant {
  let model: unknown
  try {
    model = parse(text)
  } catch (cause) {
    const what = cause instanceof YAMLParseError ? cause.message : String(cause)
    throw new TaktError('TAKT_PLANT_UNREADABLE', { what: `not valid JSON or YAML: ${what}`, where, cause })
  }
  return checkPlant(model, where)
}

export function loadPlant(file: string): Plant {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new TaktError('TAKT_PLANT_UNREADABLE', { what: cause instanceof Error ? cause.message : String(cause), where: file, cause })
  }
  return parsePlant(text, file)
}
