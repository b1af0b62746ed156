import type { Node } from 'node-red'
import type { ErrorCode } from '../../core/base/error-codes.ts'
import type { SharedLink } from '../../core/connect/shared-link.ts'

/** A loss that mends itself at once is not worth a line in the log. */
const PATIENCE_MS = 5000
/** Problems that go away when the server is back; all others need a person. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['TAKT_BROKER_AWAY', 'TAKT_OPCUA_AWAY', 'TAKT_INFLUX_AWAY'])

/** Logs what becomes of a connection: each problem once, however often it is tried again. Returns the way to stop. */
export function tellLink(node: Node, link: SharedLink, url: () => string): () => void {
  let told: string | undefined
  let patience: NodeJS.Timeout | undefined
  const forget = link.watch({
    linkChanged(state, problem) {
      if (state === 'connected') {
        clearTimeout(patience)
        patience = undefined
        told = undefined
        node.log(`connected to ${url()}`)
      } else if (state === 'away' && problem !== undefined && problem.message !== told) {
        if (!PASSING.has(problem.code)) {
          told = problem.message
          node.error(problem)
        } else {
          patience ??= setTimeout(() => {
            patience = undefined
            told = link.problem?.message
            if (told !== undefined) node.warn(told)
          }, PATIENCE_MS)
        }
      }
    },
  })
  return () => {
    clearTimeout(patience)
    forget()
  }
}
