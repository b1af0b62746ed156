import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * A small state in a file of its own, for what must outlive the process where no store is chosen. Written beside and renamed, so that a process that dies
 * meanwhile leaves the state before. `load` answers `undefined` where there is none, or none that can be read.
 */
export class StateFile {
  readonly #path: string
  #turn: Promise<void> = Promise.resolve()

  constructor(path: string) {
    this.#path = path
  }

  async load(): Promise<unknown> {
    try {
      return JSON.parse(await readFile(this.#path, 'utf8')) as unknown
    } catch {
      return undefined
    }
  }

  /** One after the other. Rejects with the system's error. */
  save(state: unknown): Promise<void> {
    const saved = this.#turn.then(async () => {
      await mkdir(dirname(this.#path), { recursive: true })
      await writeFile(`${this.#path}.new`, JSON.stringify(state))
      await rename(`${this.#path}.new`, this.#path)
    })
    this.#turn = saved.catch(() => {})
    return saved
  }
}
