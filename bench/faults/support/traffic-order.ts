/** What a process with order traffic is told. */
export interface TrafficOrder {
  /** The database: a file, or a server's address with the file of this instance's anchor. */
  readonly database: { readonly file: string } | { readonly url: string; readonly anchor: string }
  /** A line for each key that it was told is done is appended here. */
  readonly log: string
  /** Where its outbox is delivered to. */
  readonly receiver: string
  /** Begins the names of its writers, and of what they make. */
  readonly name: string
  readonly writers: number
  readonly seed: number
  /** The system's clock is off by so much from the start, ms. */
  readonly clockMs?: number
  /** Ends each writer after the order that it is at, drains the outbox, and ends the process. */
  readonly finish?: boolean
  /** Competes for the lead, and works while it leads. */
  readonly leads?: boolean
}
