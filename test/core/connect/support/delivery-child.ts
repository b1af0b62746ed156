import { createInterface } from 'node:readline'
import type { Node } from 'node-red'
import { ManualClock, systemClock } from '../../../../core/base/clock.ts'
import { Intake } from '../../../../core/connect/intake.ts'
import { inboxOf } from '../../../../core/store/inbox.ts'
import { SqlStore } from '../../../../core/store/sql-store.ts'
import { SqliteBackend } from '../../../../core/store/sqlite-backend.ts'
import { KeyedEffects } from '../../../../nodes/shared/keyed-effects.ts'
import { numbered, plain } from '../../store/support/arrivals.ts'

/**
 * A sensor and two recording nodes as a process of its own, which kills itself at a labelled step. It reads the numbers of messages that arrive
 * (`12`, or `12 again`), and prints those that it acknowledges.
 */
export const STEPS = [
  'before-commit',
  'after-commit',
  'before-send',
  'after-send',
  'before-effect',
  'after-effect',
  'before-acknowledge',
  'after-acknowledge',
] as const
export type Step = (typeof STEPS)[number]

const [file, keyed, dieAt, countdown] = process.argv.slice(2) as [string, 'keyed' | 'plain', Step | 'never', string]
let left = Number(countdown)
function step(name: Step): void {
  if (name === dieAt && --left <= 0) process.kill(process.pid, 'SIGKILL')
}

class Steps extends SqliteBackend {
  override begin() {
    const session = super.begin()
    const commit = session.commit.bind(session)
    session.commit = async (anchor) => {
      // arrivals alone make no business event
      const isEffect = anchor !== null
      step(isEffect ? 'before-effect' : 'before-commit')
      const failure = await commit(anchor)
      step(isEffect ? 'after-effect' : 'after-commit')
      return failure
    }
    return session
  }
}

const store = new SqlStore((whenOpen, onLost) => new Steps(file, whenOpen, onLost), new ManualClock(systemClock.now()), {})
await store.head()
const recorders = ['gate-1', 'gate-2'].map((id) => ({
  id,
  effects: new KeyedEffects({ id, type: 'takt-test', error: console.error } as unknown as Node, store),
}))

const intake = new Intake({
  inbox: inboxOf(store),
  source: numbered(0).source,
  send(messages) {
    step('before-send')
    for (const { topic, payload, takt } of messages) {
      // a flow takes its time, and what is under way dies with the process
      setImmediate(() => {
        for (const { id, effects } of recorders) {
          void effects.record(
            { topic, payload, takt },
            async (tx, fresh) => {
              if (fresh) await tx.record({ type: 'part.made', subject: String((payload as { value: number }).value), actor: id })
            },
            () => {},
          )
        }
      })
    }
    step('after-send')
  },
})
void intake.replay()

for await (const line of createInterface({ input: process.stdin })) {
  const [number = '', again] = line.split(' ')
  const n = Number(number)
  const { source: _, ...arrival } = keyed === 'keyed' ? numbered(n) : plain(n, { repeated: again !== undefined })
  intake.take(arrival).then(
    () => {
      step('before-acknowledge')
      process.stdout.write(`${n}\n`)
      step('after-acknowledge')
    },
    (error: unknown) => console.error(error),
  )
}
