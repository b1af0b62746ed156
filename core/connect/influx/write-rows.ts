import type { TaktError } from '../../base/error.ts'
import type { WriteOutcome } from './write-answer.ts'

export interface RejectedRow {
  readonly line: string
  readonly reason: string
}

/** `problem`: the rows must be kept and written again, all of them; else each is written or among `rejected`. */
export interface RowsOutcome {
  readonly problem: TaktError | undefined
  readonly rejected: readonly RejectedRow[]
}

/**
 * Writes rows, and finds those that the server will not have: it names one at most, so the batch is halved until the bad ones stand alone. That the good ones
 * are written again on the way changes nothing. Rows of one series stand together then, so a signal that changed its type costs a few requests.
 */
export async function writeRows(lines: readonly string[], write: (body: string) => Promise<WriteOutcome>): Promise<RowsOutcome> {
  const rejected: RejectedRow[] = []
  const problem = await part(lines, false)
  return { problem, rejected: problem === undefined ? rejected : [] }

  async function part(some: readonly string[], isSorted: boolean): Promise<TaktError | undefined> {
    const outcome = await write(some.join('\n'))
    if (outcome.kind === 'written') return undefined
    if (outcome.kind === 'failed') return outcome.problem
    if (some.length === 1 || (outcome.kind === 'rejected' && outcome.rows === some.length)) {
      const reason = outcome.kind === 'rejected' ? outcome.reason : 'larger than the server takes'
      for (const line of some) rejected.push({ line, reason })
      return undefined
    }
    const ordered = isSorted || outcome.kind === 'tooLarge' ? some : bySeries(some)
    const middle = Math.ceil(ordered.length / 2)
    return (await part(ordered.slice(0, middle), true)) ?? part(ordered.slice(middle), true)
  }
}

/** The order within a series stays: of two values at the same time the later one counts. */
function bySeries(lines: readonly string[]): string[] {
  const keyed = lines.map((line) => ({ line, key: /^(?:\\.|[^ ])*/.exec(line)?.[0] ?? '' }))
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ line }) => line)
}
