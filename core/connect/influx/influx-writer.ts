import { TaktError, toTaktError } from '../../base/error.ts'
import type { Point } from './document-points.ts'
import { Spool } from './spool.ts'
import type { Rows } from './spool-record.ts'
import type { WriteOutcome } from './write-answer.ts'
import { type RejectedRow, writeRows } from './write-rows.ts'

export interface WriterSetting {
  /** Writes lines; tells what became of them. */
  write(body: string): Promise<WriteOutcome>
  /** Where rows wait while the database is away. */
  readonly folder: string
  readonly maxSpoolBytes: number
  readonly batchRows: number
  readonly batchMs: number
  readonly where: string
  /** False while the disk has no room for telemetry: rows that nobody guaranteed are then given up and declared instead of kept. */
  mayKeep?(): boolean
  /** The database will never have this row. */
  rejected(row: RejectedRow): void
  /** Rows that were given up because the space is full, and the span of their times (epoch ms). */
  dropped(rows: number, from: number, to: number): void
  /** The problem that keeps rows from being written or kept, each time it changes; undefined when all is well again. */
  problem(problem: TaktError | undefined): void
  /** Pause before the first repetition; doubled up to twenty times as long. */
  readonly retryMs?: number
}

export interface WriterFigures {
  /** Rows acknowledged by the database since the start. */
  readonly written: number
  readonly rejected: number
  readonly dropped: number
  /** Rows that wait, in memory and on disk. */
  readonly waiting: number
  readonly inMemory: number
  /** Epoch ms of the oldest row that is in memory only. */
  readonly unsafeFrom: number | undefined
  readonly spoolBytes: number
  /** Real ms since the oldest of them began to wait; 0 when none does. */
  readonly oldestMs: number
  /** Real ms since the database took a batch; undefined before the first. */
  readonly sinceWriteMs: number | undefined
  readonly problem: TaktError | undefined
}

interface Batch {
  readonly lines: string[]
  from: number
  to: number
  bytes: number
  /** Of `performance.now()`. */
  readonly since: number
  readonly releases: Array<() => void>
}

const LARGEST_BODY = 4 * 1024 * 1024
/** Closed batches that may wait in memory beside the one under way, before they go to disk. */
const MEMORY_BATCHES = 2
/** When even the disk fails or is too slow, rows are kept in memory up to this size; then the oldest are given up. */
const LAST_RESORT_BYTES = 64 * 1024 * 1024
const RECORD_BYTES = 1024 * 1024
const RETRY_MS = 500
const RETRY_GROWTH = 20
const CLOSE_PATIENCE_MS = 3000

/**
 * Rows to a database that may be slow or away: batches by number and time, one request under way, and a bounded spool on disk. While the database is away
 * everything goes to disk at once; when it is back, the oldest rows and the newest take turns. Memory holds the open batch, the one under way and two more.
 */
export class InfluxWriter {
  readonly #setting: WriterSetting
  #spool: Spool | undefined
  #open: Batch | undefined
  #queue: Batch[] = []
  #underWay: Batch | undefined
  /** Rows on their way to the disk. */
  #underSpill: readonly Batch[] = []
  #writtenAt: number | undefined
  #written = 0
  #rejected = 0
  #dropped = 0
  #failures = 0
  #problem: TaktError | undefined
  #spoolProblem: TaktError | undefined
  #spoolTurn = true
  #spoolSince: number | undefined
  #sending: Promise<void> | undefined
  #spilling: Promise<void> | undefined
  #batchTimer: NodeJS.Timeout | undefined
  #retryTimer: NodeJS.Timeout | undefined
  #isClosed = false
  readonly #opening: Promise<void>

  constructor(setting: WriterSetting) {
    this.#setting = setting
    this.#opening = this.#openSpool()
    void this.#opening.then(() => this.#send())
  }

  get figures(): WriterFigures {
    const inMemory =
      this.#queue.reduce((sum, batch) => sum + batch.lines.length, 0) +
      (this.#open?.lines.length ?? 0) +
      (this.#underWay?.lines.length ?? 0) +
      sizeOf(this.#underSpill)
    const since = this.#spoolSince ?? this.#underWay?.since ?? this.#queue[0]?.since ?? this.#open?.since
    return {
      written: this.#written,
      rejected: this.#rejected,
      dropped: this.#dropped,
      waiting: inMemory + (this.#spool?.rows ?? 0),
      inMemory,
      unsafeFrom: this.#unsafeFrom,
      spoolBytes: this.#spool?.bytes ?? 0,
      oldestMs: since === undefined ? 0 : performance.now() - since,
      sinceWriteMs: this.#writtenAt === undefined ? undefined : performance.now() - this.#writtenAt,
      problem: this.#spoolProblem ?? this.#problem,
    }
  }

  get #unsafeFrom(): number | undefined {
    const batches = [...this.#underSpill, ...this.#queue, ...[this.#underWay, this.#open].filter((batch) => batch !== undefined)]
    return batches.length === 0 ? undefined : Math.min(...batches.map(({ from }) => from))
  }

  /** Takes a row. `release` is called once, when the row is written, rejected, on disk, or declared as given up. */
  add({ line, time }: Point, release?: () => void): void {
    const batch = (this.#open ??= this.#begin())
    batch.lines.push(line)
    // a character of a line is at most three bytes
    batch.bytes += line.length
    if (time < batch.from) batch.from = time
    if (time > batch.to) batch.to = time
    if (release !== undefined) batch.releases.push(release)
    if (batch.lines.length >= this.#setting.batchRows || batch.bytes >= LARGEST_BODY) this.#closeBatch()
  }

  /** Resolves when everything taken so far is written or on disk. */
  async flush(): Promise<void> {
    await this.#opening
    this.#closeBatch()
    while (this.#queue.length > 0 || this.#underWay !== undefined) {
      await this.#send()
      await this.#spilling
      if (this.#failures > 0 || this.#spoolProblem !== undefined) return
    }
  }

  /** Waits a little for what is under way, and puts the rest on disk. */
  async close(): Promise<void> {
    clearTimeout(this.#batchTimer)
    await this.#opening
    this.#closeBatch()
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_PATIENCE_MS)
    })
    if (this.#failures === 0) await Promise.race([this.flush(), patience])
    clearTimeout(timer)
    this.#isClosed = true
    clearTimeout(this.#retryTimer)
    // whether it arrives is not known: better twice than not at all
    if (this.#underWay !== undefined) this.#queue.unshift(this.#underWay)
    this.#underWay = undefined
    await this.#spilling
    await this.#spillAll(0)
    await this.#spool?.close()
    // nothing could keep them; guaranteed ones come again from the inbox
    for (const { lines, from, to, releases } of this.#queue.splice(0)) {
      const lost = lines.length - releases.length
      if (lost > 0) this.#giveUp(lost, from, to)
    }
  }

  /** The database is said to be back: asks it now rather than at the next repetition. */
  retry(): void {
    if (this.#failures === 0) return
    clearTimeout(this.#retryTimer)
    void this.#send()
  }

  #begin(): Batch {
    this.#batchTimer = setTimeout(() => this.#closeBatch(), this.#setting.batchMs).unref()
    return { lines: [], from: Number.POSITIVE_INFINITY, to: 0, bytes: 0, since: performance.now(), releases: [] }
  }

  #closeBatch(): void {
    clearTimeout(this.#batchTimer)
    const batch = this.#open
    this.#open = undefined
    if (batch === undefined) return
    this.#queue.push(batch)
    for (let oldest = this.#surplus(); oldest !== undefined; oldest = this.#surplus()) {
      this.#giveUp(oldest.lines.length, oldest.from, oldest.to)
      release(oldest)
    }
    this.#pump()
  }

  #surplus(): Batch | undefined {
    const bytes = this.#queue.reduce((sum, batch) => sum + batch.bytes, 0)
    return bytes > LAST_RESORT_BYTES ? this.#queue.shift() : undefined
  }

  #pump(): void {
    if (this.#isClosed) return
    if (this.#queue.length > this.#allowance) void this.#spill(this.#allowance)
    // while the database is away, only the retry timer asks again
    if (this.#failures === 0) void this.#send()
  }

  get #allowance(): number {
    return this.#failures > 0 ? 0 : MEMORY_BATCHES
  }

  #send(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined
      if (this.#failures === 0 && this.#queue.length > 0) this.#pump()
    })
    return this.#sending
  }

  async #sendAll(): Promise<void> {
    for (;;) {
      const delivered = await this.#sendOne()
      if (delivered === undefined) return
      if (delivered) {
        this.#failures = 0
        this.#tell(undefined)
        if (this.#queue.length === 0 && this.#spool !== undefined) this.#spoolFailed(undefined)
        if (this.#isClosed) return
        continue
      }
      this.#failures++
      this.#pump()
      if (this.#isClosed) return
      clearTimeout(this.#retryTimer)
      const pause = (this.#setting.retryMs ?? RETRY_MS) * Math.min(RETRY_GROWTH, 2 ** (this.#failures - 1))
      this.#retryTimer = setTimeout(() => void this.#send(), pause).unref()
      return
    }
  }

  /** Undefined when nothing waits; false when the database did not take it, and it was kept. */
  async #sendOne(): Promise<boolean | undefined> {
    const isSpoolFirst = this.#failures > 0 || this.#spoolTurn || this.#queue.length === 0
    this.#spoolTurn = !this.#spoolTurn
    if (isSpoolFirst && (this.#spool?.rows ?? 0) > 0) {
      const oldest = await this.#spool?.peek().catch((thrown) => this.#spoolFailed(thrown))
      if (oldest !== undefined) {
        if (!(await this.#deliver(oldest.rows))) return false
        await oldest.remove()
        if (this.#spool?.rows === 0) this.#spoolSince = undefined
        return true
      }
    }
    const batch = this.#queue.shift()
    if (batch === undefined) return undefined
    this.#underWay = batch
    const isDelivered = await this.#deliver(batch)
    // closed meanwhile: it went to disk
    if (this.#underWay === undefined) return undefined
    this.#underWay = undefined
    if (isDelivered) release(batch)
    else this.#queue.unshift(batch)
    return isDelivered
  }

  async #deliver(rows: Rows): Promise<boolean> {
    const { problem, rejected } = await writeRows(rows.lines, (body) => this.#setting.write(body))
    if (problem !== undefined) {
      this.#tell(problem)
      return false
    }
    this.#writtenAt = performance.now()
    this.#written += rows.lines.length - rejected.length
    this.#rejected += rejected.length
    for (const row of rejected) this.#setting.rejected(row)
    return true
  }

  /** Puts closed batches on disk, oldest first, until no more than `allowance` wait in memory. */
  #spill(allowance: number): Promise<void> {
    this.#spilling ??= this.#spillAll(allowance).finally(() => {
      this.#spilling = undefined
    })
    return this.#spilling
  }

  async #spillAll(allowance: number): Promise<void> {
    // one at a time has the folder
    await this.#opening
    if (this.#spool === undefined) await this.#openSpool()
    for (;;) {
      if (this.#setting.mayKeep?.() === false) this.#giveUpUnguaranteed(allowance)
      const surplus = this.#queue.length - (this.#isClosed ? 0 : Math.min(allowance, this.#allowance))
      if (surplus <= 0) return
      const batches = this.#takeTogether(surplus)
      this.#underSpill = batches
      try {
        if (this.#spool === undefined) throw this.#spoolProblem ?? new Error('it is not open')
        await this.#spool.append(joined(batches))
      } catch (thrown) {
        this.#queue.unshift(...batches)
        this.#spoolFailed(thrown)
        return
      } finally {
        this.#underSpill = []
      }
      this.#spoolSince ??= batches[0]?.since
      this.#spoolFailed(undefined)
      for (const batch of batches) release(batch)
    }
  }

  /** The oldest batches, as many as make a good record: they share one flush of the disk. */
  #takeTogether(atMost: number): Batch[] {
    let count = 1
    let bytes = this.#queue[0]?.bytes ?? 0
    while (count < atMost) {
      bytes += this.#queue[count]?.bytes ?? 0
      if (bytes > RECORD_BYTES) break
      count++
    }
    return this.#queue.splice(0, count)
  }

  async #openSpool(): Promise<void> {
    const { folder, maxSpoolBytes, where } = this.#setting
    try {
      this.#spool = await Spool.open({
        folder,
        maxBytes: maxSpoolBytes,
        where,
        dropped: (rows, from, to) => this.#giveUp(rows, from, to),
        damaged: (bytes, file) => {
          const what = `${bytes} bytes of ${file} were damaged on disk; the values in them are lost`
          this.#setting.problem(new TaktError('TAKT_HISTORIAN_SPOOL', { what, where }))
        },
      })
      if (this.#spool.rows > 0) this.#spoolSince = performance.now()
      this.#spoolFailed(undefined)
    } catch (thrown) {
      this.#spoolFailed(thrown)
    }
  }

  #giveUpUnguaranteed(allowance: number): void {
    const surplus = this.#queue.splice(0, Math.max(0, this.#queue.length - allowance))
    const given = surplus.filter(({ releases }) => releases.length === 0)
    this.#queue.unshift(...surplus.filter(({ releases }) => releases.length > 0))
    if (given.length === 0) return
    const { lines, from, to } = joined(given)
    this.#giveUp(lines.length, from, to)
  }

  #giveUp(rows: number, from: number, to: number): void {
    this.#dropped += rows
    this.#setting.dropped(rows, from, to)
  }

  #spoolFailed(thrown: unknown): undefined {
    const problem = thrown === undefined ? undefined : toTaktError(thrown, this.#setting.where)
    const isNews = problem?.message !== this.#spoolProblem?.message
    this.#spoolProblem = problem
    if (isNews) this.#setting.problem(problem ?? this.#problem)
    return undefined
  }

  #tell(problem: TaktError | undefined): void {
    const isNews = problem?.message !== this.#problem?.message
    this.#problem = problem
    if (isNews) this.#setting.problem(problem ?? this.#spoolProblem)
  }
}

const sizeOf = (batches: readonly Batch[]): number => batches.reduce((sum, { lines }) => sum + lines.length, 0)

function joined(batches: readonly Batch[]): Rows {
  const [first] = batches
  if (first !== undefined && batches.length === 1) return first
  return {
    lines: batches.flatMap(({ lines }) => lines),
    from: Math.min(...batches.map(({ from }) => from)),
    to: Math.max(...batches.map(({ to }) => to)),
  }
}

function release(batch: Batch): void {
  for (const call of batch.releases) call()
  batch.releases.length = 0
}
