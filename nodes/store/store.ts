import type { Node, NodeAPI, NodeDef } from 'node-red'
import { TaktError } from '../../core/base/error.ts'
import { DEFAULT_DISK_LIMITS } from '../../core/store/disk-budget.ts'
import type { Store } from '../../core/store/store.ts'
import type { PlantNode } from '../plant/plant.ts'
import { defineNode, nameOf } from '../shared/define-node.ts'
import { type KnownPeople, knowPeople } from '../shared/known-people.ts'
import { optionalConfigNode } from '../shared/lookup.ts'
import { numberSetting } from '../shared/settings.ts'
import { databaseOf } from './database-of.ts'
import { type PeopleFields, peopleSet } from './people-fields.ts'
import { SharedStore, type StoreSettings } from './shared-store.ts'
import { type UpkeepFields, upkeepPolicies } from './upkeep-fields.ts'

export interface StoreConfig extends NodeDef, PeopleFields, UpkeepFields {
  /** Where the records live; `sqlite` when it is missing */
  database?: 'sqlite' | 'postgres'
  /** `postgres://host:5432/database` */
  url?: string
  /** id of a core tls-config */
  tls?: string
  /** SQLite file; relative to the user directory. Empty: `takt/takt.db` */
  file: string
  /** The plant whose clock times the records; the system's without one */
  plant: string
  /** minutes that everything which follows from a guaranteed message has to be recorded */
  settleMinutes?: string | number
  /** percent of the disk in use from which telemetry is thinned, is not kept any more, and new orders are refused; only below `diskFreeGb` of free space */
  diskThin?: string | number
  diskStop?: string | number
  diskRefuse?: string | number
  diskFreeGb?: string | number
}

/** What other nodes use: `RED.nodes.getNode(config.store) as StoreNode`. `credentials` has `user` and `password` of the database server. Usable at once; calls wait until the database is open. */
export interface StoreNode extends Node<{ user?: string; password?: string }> {
  readonly store: Store
  readonly known: KnownPeople
  /** Calls back now and with each change: the error while the database cannot be opened or written, undefined while it can. Returns the way to stop. */
  onProblem(listener: (problem: TaktError | undefined) => void): () => void
}

/** Nodes that are closed in the same deploy still save what they know. */
const LAST_WORDS_MS = 100
const GIB = 2 ** 30

export default function registerStore(RED: NodeAPI): void {
  /** One store a database, however many config nodes name it. */
  const open = new Map<string, SharedStore>()

  defineNode<StoreConfig, StoreNode>(RED, {
    type: 'takt-store',
    credentials: { user: { type: 'text' }, password: { type: 'password' } },
    create(node, config) {
      const database = databaseOf(RED, node, config)
      const { name } = database
      const plant = optionalConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const set = peopleSet(RED, config, nameOf(node))
      const isInMemory = name === ':memory:'
      const settings = { ...settingsOf(config, nameOf(node)), key: set.key, upkeep: upkeepPolicies(RED, node, config, isInMemory) }
      const shared = open.get(name) ?? new SharedStore(database, plant, settings)
      if (shared.plant !== plant?.id) {
        throw new TaktError('TAKT_CONFIG_INVALID', { what: `another store node has the database ${name} with another plant`, where: nameOf(node) })
      }
      open.set(name, shared)
      shared.users.add(node)
      Object.defineProperty(node, 'store', { value: shared.store })
      const known = knowPeople(RED, shared.store, plant?.clock, set)
      Object.defineProperty(node, 'known', { value: known })
      node.onProblem = (listener) => shared.onProblem(listener)

      return {
        async close() {
          shared.users.delete(node)
          known.close()
          await new Promise((later) => setTimeout(later, LAST_WORDS_MS))
          if (shared.users.size > 0 || open.get(name) !== shared) return
          open.delete(name)
          await shared.close()
        },
      }
    },
  })
}

function settingsOf(config: StoreConfig, where: string): Omit<StoreSettings, 'key' | 'upkeep'> {
  const number = numberSetting(where)
  const { thinPercent, stopPercent, refusePercent, belowFreeBytes } = DEFAULT_DISK_LIMITS
  const limits = {
    thinPercent: number(config.diskThin, 'thin from', thinPercent, 1, 100),
    stopPercent: number(config.diskStop, 'keep no samples from', stopPercent, 1, 100),
    refusePercent: number(config.diskRefuse, 'refuse orders from', refusePercent, 1, 100),
    belowFreeBytes: number(config.diskFreeGb, 'free space', belowFreeBytes / GIB, 0, 1_000_000) * GIB,
  }
  if (limits.thinPercent > limits.stopPercent || limits.stopPercent > limits.refusePercent)
    throw new TaktError('TAKT_CONFIG_INVALID', { what: 'the three limits of the disk do not rise', where })
  return { settleMs: number(config.settleMinutes, 'settle time', 10, 1, 10_080) * 60_000, limits }
}
