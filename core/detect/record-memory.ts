import type { StateFile } from '../base/state-file.ts'
import type { StateFolder } from '../base/state-folder.ts'
import type { Store } from '../store/store.ts'
import { LEGACY, type WatchChanges, type WatchRecords } from './watch-records.ts'

/** Where the records of a watch outlive the process. */
export interface RecordMemory {
  /** All records by their key; `watch` is the one of all signals that versions before wrote. */
  load(): Promise<WatchRecords>
  write(changes: WatchChanges): Promise<void>
  /** The node is no more: nothing stays. */
  remove(): Promise<void>
}

/** Records read at once: what a signal learned may be 25 KB. */
const READ_AT_ONCE = 500

type StateStore = Pick<Store, 'loadStates' | 'saveStates' | 'dropStates'>

/** In the store, under the id of a node. */
export function storeRecords(store: StateStore, node: string): RecordMemory {
  return {
    async load() {
      const records = new Map<string, unknown>()
      let last = ''
      for (;;) {
        const some = await store.loadStates(node, last, READ_AT_ONCE)
        for (const [key, state] of some) records.set(key, state)
        if (some.length < READ_AT_ONCE) return records
        last = some.at(-1)?.[0] ?? ''
      }
    },
    write: ({ put, drop }) => store.saveStates(node, put, drop),
    remove: () => store.dropStates(node),
  }
}

/** In a folder; `legacy`: the one file of versions before. */
export function folderRecords(folder: StateFolder, legacy: StateFile): RecordMemory {
  return {
    async load() {
      const records = await folder.load()
      const saved = legacy.load()
      if (saved !== undefined) records.set(LEGACY, saved)
      return records
    },
    async write({ put, drop }) {
      // in their order: a signal's record names others that come before it
      for (const [key, state] of put) await folder.save(key, state)
      for (const key of drop) {
        if (key === LEGACY) legacy.remove()
        else await folder.drop(key)
      }
    },
    async remove() {
      legacy.remove()
      await folder.remove()
    },
  }
}
