import type { NodeAPI } from 'node-red'

/** Who waits for the deploy under way, in the order of asking; one listener for all, because a flow may hold dozens of them. */
const waiting = new WeakMap<object, Set<() => void>>()

/**
 * Calls back when Node-RED has created every node of a deploy. A connection that opened earlier would acknowledge messages
 * whose readers do not exist yet. Returns the way to forget it.
 */
export function whenFlowsStarted({ events }: Pick<NodeAPI, 'events'>, callback: () => void): () => void {
  let callbacks = waiting.get(events)
  if (callbacks === undefined) {
    callbacks = new Set()
    waiting.set(events, callbacks)
    events.once('flows:started', () => {
      const called = waiting.get(events) ?? []
      waiting.delete(events)
      for (const call of called) call()
    })
  }
  callbacks.add(callback)
  return () => void callbacks.delete(callback)
}
