import { systemClock } from '../../../../core/base/clock.ts'
import { toTaktError } from '../../../../core/base/error.ts'
import { Leadership } from '../../../../core/store/leadership.ts'
import { openStore } from '../../../../core/store/open-store.ts'
import { created, lot } from './store.ts'

/** Another instance on a database, which is stopped or killed while it does its task. It tells lines. */
const [url, task] = process.argv.slice(2) as [string, string]
const store = openStore({ postgres: { url }, clock: systemClock })
const tell = (line: string): void => void process.stdout.write(`${line}\n`)

const tasks: Record<string, () => Promise<void>> = {
  async lead() {
    new Leadership(store, 'scheduler', { onChange: (leads) => tell(leads ? 'leads' : 'leads no more') })
    // nothing else keeps the process
    setInterval(() => {}, 1000)
    await new Promise(() => {})
  },

  /** Stops itself inside a transaction. */
  async 'stand-still'() {
    const outcome = store.transaction(async (tx) => {
      await tx.save(lot('theirs'), created)
      tell('inside')
      await new Promise((later) => setTimeout(later, 20))
      process.kill(process.pid, 'SIGSTOP')
      await tx.get('lot', 'theirs')
    })
    tell(
      `its transaction: ${await outcome.then(
        () => 'done',
        (error: unknown) => toTaktError(error, '').code,
      )}`,
    )
    tell(`again: ${(await store.transaction((tx) => tx.save(lot('again'), created))).revision}`)
  },

  /** Makes pairs, and tells each that it was told is done. */
  async write() {
    for (let n = 0; ; n++) {
      await store.transaction(async (tx) => {
        await tx.save(lot(`a-${n}`), created)
        await tx.save(lot(`b-${n}`), created)
      })
      tell(String(n))
    }
  },
}
await tasks[task]?.()
