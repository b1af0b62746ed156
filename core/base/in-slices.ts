/** Work that can be laid down and taken up again: it yields now and then, every few hundred rows, and returns what comes of it. */
export type Steps<T> = Generator<undefined, T>

/** So long work goes on at a stretch, ms: others that share the event loop wait no longer for it, give or take one step. */
const SLICE_MS = 4

/** Does it all at once, for scripts, tests and threads of their own. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/**
 * Does it a few milliseconds at a time, with everybody else's turn before each slice, also before the first: who knows how long the caller has been at it. What
 * `check` throws, asked before each, ends it.
 */
export async function inSlices<T>(steps: Steps<T>, check?: () => void): Promise<T> {
  for (;;) {
    await turn()
    check?.()
    for (const begun = performance.now(); performance.now() - begun < SLICE_MS; ) {
      const step = steps.next()
      if (step.done === true) return step.value
    }
  }
}

/** Everybody else's turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
