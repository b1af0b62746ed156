import { StateFile } from '../../base/state-file.ts'

interface Mark {
  /** Epoch ms: rows from here on may have been in memory only. */
  readonly unsafeFrom: number
}

/**
 * Tells after a start whether the process before it ended without a word, and from which time on its rows may be missing. The mark is written
 * while rows are in memory and removed at an orderly end, so a mark that is found means that there was none.
 */
export class RunMark {
  readonly #file: StateFile
  #written: number | undefined

  constructor(path: string) {
    this.#file = new StateFile(path)
  }

  /** From when on rows of an earlier process may be missing; undefined when it ended in order, or there was none. */
  earlier(): number | undefined {
    const mark = this.#file.load() as Partial<Mark> | undefined
    return typeof mark?.unsafeFrom === 'number' && Number.isFinite(mark.unsafeFrom) ? mark.unsafeFrom : undefined
  }

  /** Throws what the file system throws. */
  write(unsafeFrom: number): void {
    if (unsafeFrom === this.#written) return
    this.#file.save({ unsafeFrom } satisfies Mark)
    this.#written = unsafeFrom
  }

  remove(): void {
    this.#file.remove()
    this.#written = undefined
  }
}
