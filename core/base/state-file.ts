import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** A small JSON document on disk, replaced as a whole: a crash leaves the old or the new one, never half of either. */
export class StateFile {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** What was saved last; `undefined` when there is none or it cannot be read as JSON. */
  load(): unknown {
    try {
      return JSON.parse(readFileSync(this.#path, 'utf8'))
    } catch {
      return undefined
    }
  }

  save(state: unknown): void {
    mkdirSync(dirname(this.#path), { recursive: true })
    const draft = `${this.#path}.new`
    writeFileSync(draft, JSON.stringify(state))
    renameSync(draft, this.#path)
  }

  remove(): void {
    rmSync(this.#path, { force: true })
  }
}
