import { JobOrderWatch, type JobWatchSetting, type JobWatchSink, watchedReceivers } from '../../core/connect/job-control/job-watch.ts'
import type { OpcuaConnection } from '../../core/connect/opcua-connection.ts'
import { StateFile } from '../../core/connect/state-file.ts'
import type { Plant } from '../../core/plant/plant.ts'
import type { Store } from '../../core/store/store.ts'

const MEMORY = 'job-receivers'

/** The units of the plant whose state comes from a job order receiver, watched anew with each plant. */
export class ReceiverWatcher {
  readonly #connection: OpcuaConnection
  readonly #setting: JobWatchSetting
  readonly #sink: JobWatchSink
  #watch: JobOrderWatch | undefined

  constructor(connection: OpcuaConnection, setting: JobWatchSetting, sink: JobWatchSink) {
    this.#connection = connection
    this.#setting = setting
    this.#sink = sink
  }

  /** How many units there are. */
  use(plant: Plant): number {
    this.close()
    const units = watchedReceivers(plant, this.#setting.source)
    if (units.length > 0) this.#watch = new JobOrderWatch(this.#connection, units, this.#setting, this.#sink)
    return units.length
  }

  close(): void {
    this.#watch?.close()
    this.#watch = undefined
  }
}

/** What a machine was at, in the store, or in a file where none is chosen. */
export function receiverMemory(store: Store | undefined, id: string, file: string): JobWatchSetting['memory'] {
  if (store === undefined) return new StateFile(file)
  return { load: () => store.loadState(id, MEMORY), save: (state) => store.saveState(id, MEMORY, state) }
}
