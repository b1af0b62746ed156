/** What the event loop was held up by at most, ms: by the thread's own work, and by the clock, in which whatever else the machine does counts too. */
export interface HeldUp {
  readonly cpuMs: number
  readonly wallMs: number
  /** How long it all took, and how much of that the thread worked. */
  readonly tookMs: number
  readonly workedMs: number
}

const TICK_MS = 1
/** After the work has ended: what it left behind (collections, messages under way) is its doing too. */
const AFTER_MS = 50

/** Watches the event loop while something is done: a timer fires every millisecond, unless the loop is held up. */
export async function heldUpBy(work: () => Promise<unknown>): Promise<HeldUp> {
  let [cpuMs, wallMs] = [0, 0]
  let watching = true
  const begun = { cpu: threadMs(), wall: performance.now() }
  let last = begun
  const look = (): void => {
    const now = { cpu: threadMs(), wall: performance.now() }
    cpuMs = Math.max(cpuMs, now.cpu - last.cpu)
    wallMs = Math.max(wallMs, now.wall - last.wall - TICK_MS)
    last = now
    if (watching) setTimeout(look, TICK_MS)
  }
  setTimeout(look, TICK_MS)
  await work()
  const tookMs = performance.now() - begun.wall
  await new Promise((resolve) => setTimeout(resolve, AFTER_MS))
  watching = false
  look()
  return { cpuMs, wallMs, tookMs, workedMs: last.cpu - begun.cpu }
}

/** The same while nothing is done: what the machine makes of an idle loop. */
export function heldUpByNothing(ms: number): Promise<HeldUp> {
  return heldUpBy(() => new Promise((resolve) => setTimeout(resolve, ms)))
}

/** What the kernel says that this thread has worked; it looks at it every few milliseconds. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
