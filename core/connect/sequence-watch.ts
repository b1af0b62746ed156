export interface LostNumbers {
  readonly session: string
  /** Times of the messages before and after. */
  readonly from: number
  readonly to: number
  readonly lost: number
}

interface Hole {
  readonly missing: Set<number>
  readonly from: number
  readonly to: number
  readonly timer: NodeJS.Timeout
}

interface Session {
  last: number
  time: number
  readonly holes: Set<Hole>
}

/** What comes late is waited for this long, real ms. */
const PATIENCE_MS = 2000
/** A hole larger than this is told at once. */
const LARGEST_HOLE = 1000
const SESSIONS = 10_000

/** Follows the numbers that senders give to their messages, and tells which are missing for good. A sender that begins anew at 0 or 1 has lost nothing. */
export class SequenceWatch {
  readonly #tell: (lost: LostNumbers) => void
  readonly #patienceMs: number
  readonly #sessions = new Map<string, Session>()

  constructor(tell: (lost: LostNumbers) => void, patienceMs = PATIENCE_MS) {
    this.#tell = tell
    this.#patienceMs = patienceMs
  }

  take(name: string, sequence: number, time: number): void {
    const session = this.#sessions.get(name)
    if (session === undefined) {
      if (this.#sessions.size >= SESSIONS) this.#sessions.clear()
      this.#sessions.set(name, { last: sequence, time, holes: new Set() })
      return
    }
    if (sequence <= session.last && sequence > 1) return this.#fill(session, sequence)
    if (sequence > session.last + 1) this.#open(name, session, sequence, time)
    session.last = sequence
    session.time = time
  }

  /** Tells of what is still missing. */
  stop(): void {
    for (const [name, session] of this.#sessions) for (const hole of session.holes) this.#close(name, session, hole)
    this.#sessions.clear()
  }

  #open(name: string, session: Session, sequence: number, time: number): void {
    const lost = sequence - session.last - 1
    if (lost > LARGEST_HOLE) return this.#tell({ session: name, from: session.time, to: time, lost })
    const missing = new Set(Array.from({ length: lost }, (_, index) => session.last + 1 + index))
    const hole: Hole = { missing, from: session.time, to: time, timer: setTimeout(() => this.#close(name, session, hole), this.#patienceMs).unref() }
    session.holes.add(hole)
  }

  #fill(session: Session, sequence: number): void {
    for (const hole of session.holes) if (hole.missing.delete(sequence)) return
  }

  #close(name: string, session: Session, hole: Hole): void {
    clearTimeout(hole.timer)
    session.holes.delete(hole)
    if (hole.missing.size > 0) this.#tell({ session: name, from: hole.from, to: hole.to, lost: hole.missing.size })
  }
}
