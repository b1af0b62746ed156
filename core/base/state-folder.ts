import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Small JSON documents on disk, each by its key in a file of its own that is replaced as a whole: a crash leaves the old or the new one, never half of either.
 * The files are named by a hash of the key, which may hold any character.
 */
export class StateFolder {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** All documents by their key; a file that cannot be read as one is passed over. */
  async load(): Promise<Map<string, unknown>> {
    const found = new Map<string, unknown>()
    let names: string[]
    try {
      names = await readdir(this.#path)
    } catch {
      return found
    }
    for (const name of names) {
      if (!name.endsWith('.json')) continue
      try {
        const saved: unknown = JSON.parse(await readFile(join(this.#path, name), 'utf8'))
        if (Array.isArray(saved) && typeof saved[0] === 'string') found.set(saved[0], saved[1])
      } catch {
        // half a disk is better than none of it
      }
    }
    return found
  }

  async save(key: string, state: unknown): Promise<void> {
    const path = this.#fileOf(key)
    const write = (): Promise<void> => writeFile(`${path}.new`, JSON.stringify([key, state]))
    try {
      await write()
    } catch {
      await mkdir(this.#path, { recursive: true })
      await write()
    }
    await rename(`${path}.new`, path)
  }

  async drop(key: string): Promise<void> {
    await rm(this.#fileOf(key), { force: true })
  }

  /** Removes it with all that is in it. */
  async remove(): Promise<void> {
    await rm(this.#path, { recursive: true, force: true })
  }

  #fileOf(key: string): string {
    return join(this.#path, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`)
  }
}
