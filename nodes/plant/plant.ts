import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname, isAbsolute, join } from 'node:path'
import type { Node, NodeAPI, NodeDef } from 'node-red'
import { AnchoredClock, type Clock, type ClockAnchor, systemClock } from '../../core/base/clock.ts'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import { loadPlant, parsePlant } from '../../core/plant/load-plant.ts'
import type { Plant } from '../../core/plant/plant.ts'
import { defineNode, nameOf } from '../shared/define-node.ts'

export interface PlantConfig extends NodeDef {
  source: 'file' | 'inline'
  file: string
  model: string
  /** `system`, `simulator` (a simulator node sets it), or fixed: `<plant epoch ms>@<real epoch ms>x<rate>` */
  clock: string
}

/** What other nodes use: `RED.nodes.getNode(config.plant) as PlantNode`. */
export interface PlantNode extends Node {
  /** The checked model; throws TAKT_PLANT_… while it has errors. Ask anew for each message: it may have been reloaded. */
  plant(): Plant
  readonly clock: Clock
  /** Ties a simulated clock; refused unless the clock is set to `simulator`. */
  setClock(anchor: ClockAnchor): void
  /** Calls back after each successful reload; returns the way to stop. */
  onReload(listener: (plant: Plant) => void): () => void
}

const RELOAD_SETTLE_MS = 200

export default function registerPlant(RED: NodeAPI): void {
  serveModelCheck(RED)
  defineNode<PlantConfig, PlantNode>(RED, {
    type: 'takt-plant',
    create(node, config) {
      const where = nameOf(node)
      const listeners = new Set<(plant: Plant) => void>()
      const clock = clockOf(config.clock || 'system', where)
      const file = config.source === 'file' ? resolveFile(RED, config.file, where) : undefined
      let plant: Plant | undefined
      let problem: TaktError | undefined
      const load = (): void => {
        try {
          plant = file === undefined ? parsePlant(config.model, where) : loadPlant(file)
          problem = undefined
          for (const listener of listeners) listener(plant)
        } catch (thrown) {
          // a bad edit of the file leaves the last good model in force
          problem = toTaktError(thrown, where)
          node.error(problem)
        }
      }

      Object.defineProperty(node, 'clock', { value: clock })
      node.plant = () => {
        if (plant === undefined) throw problem ?? new TaktError('TAKT_PLANT_MISSING', { where })
        return plant
      }
      node.setClock = (anchor) => {
        if (!(clock instanceof AnchoredClock) || config.clock !== 'simulator')
          throw new TaktError('TAKT_CONFIG_INVALID', { what: "the plant's clock is not set to 'simulator'", where })
        clock.set(anchor)
      }
      node.onReload = (listener) => {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      }

      load()
      const watcher = file === undefined ? undefined : watchFile(file, load)
      return { close: () => watcher?.close() }
    },
  })
}

/** The dialog sends what is typed and shows every fault while one types. */
function serveModelCheck(RED: NodeAPI): void {
  RED.httpAdmin.post('/takt/plant/check', RED.auth.needsPermission('flows.write'), (request, response) => {
    try {
      const plant = parsePlant(String(request.body?.model ?? ''), 'plant model')
      const { equipment, workMasters = [], materials = [] } = plant.model
      response.json({
        faults: [],
        summary: `${plant.units.length} units of ${equipment.length} equipment, ${workMasters.length} work masters, ${materials.length} materials`,
      })
    } catch (thrown) {
      const error = toTaktError(thrown, 'plant model')
      response.json({ faults: Array.isArray(error.details) ? error.details : [{ path: '/', what: error.what }], summary: '' })
    }
  })
}

function clockOf(setting: string, where: string): Clock {
  if (setting === 'system') return systemClock
  if (setting === 'simulator') return new AnchoredClock({ plant: Date.now(), real: Date.now(), rate: 1 })
  const fixed = /^(\d+)@(\d+)x(\d+(?:\.\d+)?)$/.exec(setting)
  if (fixed === null)
    throw new TaktError('TAKT_CONFIG_INVALID', { what: `the clock '${setting}' is not system, simulator or <plant ms>@<real ms>x<rate>`, where })
  return new AnchoredClock({ plant: Number(fixed[1]), real: Number(fixed[2]), rate: Number(fixed[3]) })
}

function resolveFile(RED: NodeAPI, file: string, where: string): string {
  if (!file) throw new TaktError('TAKT_CONFIG_INVALID', { what: 'no plant file is named', where })
  return isAbsolute(file) ? file : join(RED.settings.userDir ?? process.cwd(), file)
}

/** Editors replace a file rather than write into it, so its folder is watched; a burst of changes counts as one. */
function watchFile(file: string, changed: () => void): FSWatcher | undefined {
  let settle: NodeJS.Timeout | undefined
  try {
    const watcher = watch(dirname(file), { persistent: false }, (_event, name) => {
      if (name !== basename(file)) return
      clearTimeout(settle)
      settle = setTimeout(changed, RELOAD_SETTLE_MS)
      settle.unref()
    })
    return watcher.on('close', () => clearTimeout(settle)).on('error', () => {})
  } catch {
    return undefined
  }
}
