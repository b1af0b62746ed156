import type { TaktError } from '../base/error.ts'

/** `away`: the server was lost or never answered, and is tried again all the time. */
export type LinkState = 'idle' | 'connecting' | 'connected' | 'away'

/** One who uses a connection: hears of its state, now and whenever it changes. */
export interface LinkUser {
  linkChanged(state: LinkState, problem: TaktError | undefined): void
}

/** A connection that several share: the first user opens it, the last one closes it, all hear its state. */
export abstract class SharedLink {
  readonly #users = new Set<LinkUser>()
  readonly #watchers = new Set<LinkUser>()
  #state: LinkState = 'idle'
  #problem: TaktError | undefined
  #begun: boolean
  #open = false
  #turn: Promise<void> = Promise.resolve()

  /** `waiting`: opens nothing before `begin()`, so that a session's queued messages find all their readers there. */
  constructor(waiting = false) {
    this.#begun = !waiting
  }

  get state(): LinkState {
    return this.#state
  }

  /** Why it is away; `undefined` while all is well. */
  get problem(): TaktError | undefined {
    return this.#problem
  }

  begin(): void {
    this.#begun = true
    this.#follow()
  }

  register(user: LinkUser): void {
    this.#users.add(user)
    user.linkChanged(this.#state, this.#problem)
    this.#follow()
  }

  /** Resolves when the connection is closed, if this was the last user. */
  deregister(user: LinkUser): Promise<void> {
    this.#users.delete(user)
    return this.#follow()
  }

  /** Hears of the state without keeping the connection open. Returns the way to stop. */
  watch(watcher: LinkUser): () => void {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  /** Closes for good, whoever still uses it. */
  end(): Promise<void> {
    this.#begun = false
    return this.#follow()
  }

  /** Waits until connected. Rejects with the present problem after `timeoutMs`, or with `fallback` where there is none. */
  whenConnected(timeoutMs: number, fallback: () => TaktError): Promise<void> {
    if (this.#state === 'connected') return Promise.resolve()
    return new Promise((resolve, reject) => {
      const forget = this.watch({
        linkChanged: (state) => {
          if (state !== 'connected') return
          clearTimeout(timer)
          forget()
          resolve()
        },
      })
      const timer = setTimeout(() => {
        forget()
        reject(this.#problem ?? fallback())
      }, timeoutMs)
    })
  }

  protected abstract open(): Promise<void>
  protected abstract shut(): Promise<void>

  protected changed(state: LinkState, problem?: TaktError): void {
    if (state === this.#state && problem?.message === this.#problem?.message) return
    this.#state = state
    this.#problem = problem
    for (const user of [...this.#users, ...this.#watchers]) user.linkChanged(state, problem)
  }

  /** Opens or shuts as the users want it, one after the other: a fixed client id must not meet itself. */
  #follow(): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      const wanted = this.#begun && this.#users.size > 0
      if (wanted === this.#open) return
      this.#open = wanted
      await (wanted ? this.open() : this.shut())
      if (!wanted) this.changed('idle')
    })
    return this.#turn
  }
}
