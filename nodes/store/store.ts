import { join, resolve } from 'node:path'
import type { Node, NodeAPI, NodeDef } from 'node-red'
import { systemClock } from '../../core/base/clock.ts'
import { TaktError } from '../../core/base/error.ts'
import { openStore } from '../../core/store/open-store.ts'
import type { Store } from '../../core/store/store.ts'
import type { PlantNode } from '../plant/plant.ts'
import { defineNode, nameOf } from '../shared/define-node.ts'
import { optionalConfigNode } from '../shared/lookup.ts'

export interface StoreConfig extends NodeDef {
  /** SQLite file; relative to the user directory. Empty: `takt/takt.db` */
  file: string
  /** The plant whose clock times the records; the system's without one */
  plant: string
}

/** What other nodes use: `RED.nodes.getNode(config.store) as StoreNode`. Usable at once; calls wait until the database is open. */
export interface StoreNode extends Node {
  readonly store: Store
  /** Calls back now and with each change: the error while the database cannot be opened or written, undefined while it can. Returns the way to stop. */
  onProblem(listener: (problem: TaktError | undefined) => void): () => void
}

const DEFAULT_FILE = join('takt', 'takt.db')
/** Nodes that are closed in the same deploy still save what they know. */
const LAST_WORDS_MS = 100
const RETRY_MS = 5000

export default function registerStore(RED: NodeAPI): void {
  /** One store a file, however many config nodes name it. */
  const open = new Map<string, SharedStore>()

  defineNode<StoreConfig, StoreNode>(RED, {
    type: 'takt-store',
    create(node, config) {
      const file = fileOf(RED, config.file)
      const plant = optionalConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const shared = open.get(file) ?? new SharedStore(file, plant)
      if (shared.plant !== plant?.id) {
        throw new TaktError('TAKT_CONFIG_INVALID', { what: `another store node has the file ${file} with another plant`, where: nameOf(node) })
      }
      open.set(file, shared)
      shared.users.add(node)
      Object.defineProperty(node, 'store', { value: shared.store })
      node.onProblem = (listener) => shared.onProblem(listener)

      return {
        async close() {
          shared.users.delete(node)
          await new Promise((later) => setTimeout(later, LAST_WORDS_MS))
          if (shared.users.size > 0 || open.get(file) !== shared) return
          open.delete(file)
          await shared.close()
        },
      }
    },
  })
}

/** A store and the config nodes that name its file; tells them what goes wrong, once each time, and tries again by itself. */
class SharedStore {
  readonly users = new Set<StoreNode>()
  readonly plant: string | undefined
  readonly store: Store
  readonly #listeners = new Set<(problem: TaktError | undefined) => void>()
  #problem: TaktError | undefined
  #retry: NodeJS.Timeout | undefined

  constructor(file: string, plant: PlantNode | undefined) {
    this.plant = plant?.id
    this.store = openStore({
      file,
      clock: plant?.clock ?? systemClock,
      onOpen: () => this.#tell(undefined),
      onFailure: (error) => this.#tell(error),
      onWarning: (error) => {
        for (const user of this.users) user.warn(error.message)
      },
    })
  }

  onProblem(listener: (problem: TaktError | undefined) => void): () => void {
    const entry = (problem: TaktError | undefined): void => listener(problem)
    this.#listeners.add(entry)
    entry(this.#problem)
    return () => void this.#listeners.delete(entry)
  }

  async close(): Promise<void> {
    clearTimeout(this.#retry)
    await this.store.close()
  }

  #tell(problem: TaktError | undefined): void {
    if (problem !== undefined) this.#tryAgain()
    if (problem?.message === this.#problem?.message) return
    this.#problem = problem
    for (const user of this.users) {
      if (problem !== undefined) user.error(problem)
      else user.log(`${nameOf(user)}: the database is open`)
    }
    for (const listener of this.#listeners) listener(problem)
  }

  #tryAgain(): void {
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => void this.store.head().catch(() => {}), RETRY_MS)
    this.#retry.unref()
  }
}

function fileOf(RED: NodeAPI, configured: string | undefined): string {
  const file = configured?.trim() || DEFAULT_FILE
  return file === ':memory:' ? file : resolve(RED.settings.userDir ?? process.cwd(), file)
}
