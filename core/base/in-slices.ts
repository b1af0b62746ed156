/** Work that can be laid down and taken up again: it yields now and then, every few hundred rows, and returns what comes of it. */
export type Steps<T> = Generator<undefined, T>

/** So long work goes on at a stretch, ms: others that share the event loop wait no longer for it, give or take one step. */
const SLICE_MS = 5

/** Does it all at once, for scripts, tests and threads of their own. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** Does it a few milliseconds at a time, with everybody else's turn between. What `check` throws, asked before each slice but the first, ends it. */
export async function inSlices<T>(steps: Steps<T>, check?: () => void): Promise<T> {
  for (let begun = performance.now(); ; ) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (performance.now() - begun < SLICE_MS) continue
    await turn()
    check?.()
    begun = performance.now()
  }
}

/** Everybody else's turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
