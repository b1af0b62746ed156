import type { StateFile } from '../base/state-file.ts'
import type { Store } from '../store/store.ts'

/** Where what was learned outlives the process. */
export interface WatchMemory {
  load(): Promise<unknown>
  save(state: unknown): Promise<void>
  /** The node is no more: nothing stays. */
  remove(): Promise<void>
}

const KEY = 'watch'

export function storeMemory(store: Store, node: string): WatchMemory {
  return {
    load: () => store.loadState(node, KEY),
    save: (state) => store.saveState(node, KEY, state),
    remove: () => store.dropStates(node),
  }
}

export function fileMemory(file: StateFile): WatchMemory {
  return {
    load: async () => file.load(),
    save: async (state) => file.save(state),
    remove: async () => file.remove(),
  }
}
