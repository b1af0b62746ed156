import { isAbsolute, join, resolve } from 'node:path'
import type { Node, NodeAPI, NodeDef } from 'node-red'
import { systemClock } from '../../core/base/clock.ts'
import type { TaktError } from '../../core/base/error.ts'
import { openStore } from '../../core/store/open-store.ts'
import type { Store } from '../../core/store/store.ts'
import type { PlantNode } from '../plant/plant.ts'
import { defineNode } from '../shared/define-node.ts'
import { optionalConfigNode } from '../shared/lookup.ts'

export interface StoreConfig extends NodeDef {
  /** SQLite file; relative to the user directory. Empty: `takt/takt.db` */
  file: string
  /** Plant whose clock times the records; the system's without one */
  plant: string
}

/** What other nodes use: `RED.nodes.getNode(config.store) as StoreNode`. Usable at once; calls wait until the database is open. */
export interface StoreNode extends Node {
  readonly store: Store
}

const DEFAULT_FILE = join('takt', 'takt.db')
/** Nodes that are closed in the same deploy still save what they know. */
const LAST_WORDS_MS = 100

interface Shared {
  readonly store: Store
  readonly users: Set<StoreNode>
}

export default function registerStore(RED: NodeAPI): void {
  /** One store a file, however many config nodes name it. */
  const open = new Map<string, Shared>()

  defineNode<StoreConfig, StoreNode>(RED, {
    type: 'takt-store',
    create(node, config) {
      const file = fileOf(RED, config.file)
      const clock = optionalConfigNode<PlantNode>(RED, node, config.plant, 'plant')?.clock ?? systemClock
      let shared = open.get(file)
      if (shared === undefined) {
        const users = new Set<StoreNode>()
        const tell = (error: TaktError): void => {
          for (const user of users) user.error(error)
        }
        shared = { users, store: openStore({ file, clock, onFailure: tell, onWarning: tell }) }
        open.set(file, shared)
      }
      shared.users.add(node)
      Object.defineProperty(node, 'store', { value: shared.store })
      const { store, users } = shared

      return {
        async close() {
          users.delete(node)
          await new Promise((later) => setTimeout(later, LAST_WORDS_MS))
          if (users.size > 0 || open.get(file)?.store !== store) return
          open.delete(file)
          await store.close()
        },
      }
    },
  })
}

function fileOf(RED: NodeAPI, configured: string): string {
  const file = configured?.trim() || DEFAULT_FILE
  if (file === ':memory:') return file
  return isAbsolute(file) ? file : resolve(RED.settings.userDir ?? process.cwd(), file)
}
