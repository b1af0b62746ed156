import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Anchor, parseAnchor } from './anchor.ts'

/**
 * The anchor of a database that lies elsewhere. It is written behind the commits, the newest head at a time: after a crash it may be a few rows behind,
 * which only makes a tail lost in the same moment harder to see.
 */
export class AnchorFile {
  readonly #path: string
  #next: Anchor | undefined
  #writing: Promise<void> | undefined
  #failure: Error | undefined

  constructor(path: string) {
    this.#path = path
  }

  get path(): string {
    return this.#path
  }

  /** Null when there is none, or it is not one. */
  async read(): Promise<Anchor | null> {
    await this.#writing
    try {
      return parseAnchor(JSON.parse(await readFile(this.#path, 'utf8'))) ?? null
    } catch {
      return null
    }
  }

  /** Writes soon. Returns what went wrong since the last call. */
  save(head: Anchor): Error | undefined {
    this.#next = head
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
    })
    const failure = this.#failure
    this.#failure = undefined
    return failure
  }

  /** Resolves when everything is written. */
  async idle(): Promise<void> {
    await this.#writing
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    for (let head = this.#next; head !== undefined; head = this.#next) {
      this.#next = undefined
      try {
        await mkdir(dirname(this.#path), { recursive: true })
        const draft = `${this.#path}.new`
        const file = await open(draft, 'w')
        try {
          await file.writeFile(JSON.stringify(head))
          await file.datasync()
        } finally {
          await file.close()
        }
        await rename(draft, this.#path)
      } catch (thrown) {
        this.#failure = thrown as Error
      }
    }
  }
}
