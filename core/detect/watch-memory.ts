import type { StateFile } from '../base/state-file.ts'
import type { Store } from '../store/store.ts'

/** Where what was learned outlives the process. */
export interface WatchMemory {
  load(): Promise<unknown>
  save(state: unknown): Promise<void>
}

const KEY = 'watch'

export function storeMemory(store: Store, node: string): WatchMemory {
  return {
    load: () => store.loadState(node, KEY),
    save: (state) => store.saveState(node, KEY, state),
  }
}

export function fileMemory(file: StateFile): WatchMemory {
  return {
    load: async () => file.load(),
    save: async (state) => file.save(state),
  }
}
