import { TaktError } from '../base/error.ts'
import { uniqueId } from '../base/id.ts'
import type { Store, StoreReader, StoreTransaction } from './store.ts'

export interface LeadershipOptions {
  /** The leader leads so long after its last sign of life, real ms. Default 2,000; others take over at most two signs later. */
  readonly leaseMs?: number
  /** Between two signs of life, real ms. Default 600. */
  readonly everyMs?: number
  /** Called when it begins to lead, and when it does no more. Not for a store that one process has for itself: there it always leads. */
  onChange?(leads: boolean): void
}

/** Asked inside a transaction; throws TAKT_STORE_LEADER where another leads now. */
export type LeadGuard = (tx: StoreTransaction) => Promise<void>

/** What stands in the store of who leads. `beat` counts signs of life. */
interface Lease {
  readonly holder: string | null
  readonly token: number
  readonly beat: number
}

const NODE = 'lease'
const LEASE_MS = 2000
const EVERY_MS = 600

/**
 * One instance among those that share a store does a piece of work; another takes over when it is silent. No clock is compared with another's: who waits counts its own
 * time since it saw the last sign of life, and who leads stops by itself, counting from before it gave it. The token rises with each change, so that a leader that
 * was stopped and goes on is found out inside its transaction.
 */
export class Leadership {
  readonly #store: Store
  readonly #name: string
  readonly #leaseMs: number
  readonly #everyMs: number
  readonly #onChange: (leads: boolean) => void
  readonly #self = uniqueId('instance')
  #seen: Lease | undefined
  #seenAt = 0
  #token: number | undefined
  #until = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #beating: Promise<void> | undefined
  #closed = false

  /** `name` is that of the work, the same in each instance. */
  constructor(store: Store, name: string, { leaseMs = LEASE_MS, everyMs = EVERY_MS, onChange = () => {} }: LeadershipOptions = {}) {
    this.#store = store
    this.#name = name
    this.#leaseMs = leaseMs
    this.#everyMs = everyMs
    this.#onChange = onChange
    if (store.shared) this.#tick()
  }

  get leads(): boolean {
    return !this.#store.shared || (this.#token !== undefined && performance.now() < this.#until)
  }

  /**
   * For work that begins now and is written later. Asked inside its transaction it throws TAKT_STORE_LEADER when this one led and another does, also where it has learned of that
   * meanwhile. Who does not lead may work when asked to.
   */
  claim(): LeadGuard {
    const token = this.#token
    return (tx) => this.#check(tx, token)
  }

  async #check(tx: StoreTransaction, token: number | undefined): Promise<void> {
    if (token === undefined) return
    const lease = await this.#read(tx)
    if (lease?.holder === this.#self && lease.token === token) return
    throw new TaktError('TAKT_STORE_LEADER', { what: `${lease?.holder ?? 'nobody'} leads now`, where: this.#name })
  }

  /** Gives the lead away, so that another need not wait. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#beating
    if (this.#token === undefined) return
    const token = this.#token
    this.#token = undefined
    await this.#store
      .transaction(async (tx) => {
        const lease = await this.#read(tx)
        if (lease?.holder === this.#self && lease.token === token) await this.#write(tx, { ...lease, holder: null })
      })
      .catch(() => {})
  }

  #tick(): void {
    if (this.#closed) return
    this.#beating = this.#beat()
      // the store says itself that it is away; the lead runs out
      .catch(() => {
        if (!this.leads) this.#tell(undefined)
      })
      .finally(() => {
        if (this.#closed) return
        this.#timer = setTimeout(() => this.#tick(), this.#everyMs)
        this.#timer.unref()
      })
  }

  /** A sign of life, or a look at whether there is another's. */
  async #beat(): Promise<void> {
    // who does not lead only looks, until it is time: a look is not held up by one that stands still inside a transaction
    if (this.#token === undefined && (await this.#isLed())) return this.#tell(undefined)
    const began = performance.now()
    const token = await this.#store.transaction(async (tx) => {
      const lease = await this.#read(tx)
      if (lease?.holder === this.#self) {
        await this.#write(tx, { ...lease, beat: lease.beat + 1 })
        return lease.token
      }
      if (lease !== undefined && lease.holder !== null && !this.#isSilent(lease)) return undefined
      const next = { holder: this.#self, token: (lease?.token ?? 0) + 1, beat: 0 }
      await this.#write(tx, next)
      await tx.record({
        type: 'store.leader',
        subject: this.#name,
        actor: 'store',
        after: { holder: next.holder, token: next.token, before: lease?.holder ?? null },
      })
      return next.token
    })
    if (token !== undefined) this.#until = began + this.#leaseMs
    this.#tell(token)
  }

  /** Another one leads and has given a sign of life lately. */
  async #isLed(): Promise<boolean> {
    const lease = await this.#read(this.#store)
    return lease !== undefined && lease.holder !== null && lease.holder !== this.#self && !this.#isSilent(lease)
  }

  #isSilent(lease: Lease): boolean {
    const now = performance.now()
    if (this.#seen?.holder !== lease.holder || this.#seen.token !== lease.token || this.#seen.beat !== lease.beat) {
      this.#seen = lease
      this.#seenAt = now
    }
    return now - this.#seenAt >= this.#leaseMs
  }

  #tell(token: number | undefined): void {
    const led = this.#token !== undefined
    this.#token = token
    if (led !== (token !== undefined) && !this.#closed) this.#onChange(token !== undefined)
  }

  async #read({ db }: StoreReader): Promise<Lease | undefined> {
    const row = await db.selectFrom('node_state').select('state').where('node', '=', NODE).where('key', '=', this.#name).executeTakeFirst()
    return row === undefined ? undefined : (JSON.parse(row.state) as Lease)
  }

  async #write(tx: StoreTransaction, lease: Lease): Promise<void> {
    const state = JSON.stringify(lease)
    await tx.db
      .insertInto('node_state')
      .values({ node: NODE, key: this.#name, state, saved: tx.now })
      .onConflict((conflict) => conflict.columns(['node', 'key']).doUpdateSet({ state, saved: tx.now }))
      .execute()
  }
}
