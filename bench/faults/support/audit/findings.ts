/** What an audit found wrong; the first few are kept as text, the rest is counted. */
export class Findings {
  readonly #kept: string[] = []
  #lost = 0
  #doubled = 0
  #violated = 0

  get lost(): number {
    return this.#lost
  }

  get doubled(): number {
    return this.#doubled
  }

  /** Rules that do not hold. */
  get violated(): number {
    return this.#violated
  }

  get evidence(): string {
    return this.#kept.slice(0, SHOWN).join('; ')
  }

  get all(): readonly string[] {
    return this.#kept
  }

  missing(what: string): void {
    this.#lost++
    this.#keep(`lost: ${what}`)
  }

  twice(what: string, more = 1): void {
    this.#doubled += more
    this.#keep(`doubled: ${what}`)
  }

  wrong(what: string): void {
    this.#violated++
    this.#keep(what)
  }

  #keep(what: string): void {
    if (this.#kept.length < KEPT) this.#kept.push(what.slice(0, 200))
  }
}

const KEPT = 100
const SHOWN = 3
