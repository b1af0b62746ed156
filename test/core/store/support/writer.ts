import { systemClock } from '../../../../core/base/clock.ts'
import { openStore } from '../../../../core/store/open-store.ts'
import { created, lot } from './store.ts'

/**
 * A process that writes until it is killed: each transaction makes a pair of lots and a keyed effect. It prints the number of every
 * transaction that it was told is done.
 */
const [file, from] = process.argv.slice(2) as [string, string]
const store = openStore({ file, clock: systemClock })
let next = Number(from)
async function write(): Promise<never> {
  for (;;) {
    const n = next++
    await store.transaction(async (tx) => {
      await tx.save(lot(`a-${n}`), created)
      if (!(await tx.once(`effect-${n}`))) throw new Error(`${n} happened before`)
      await tx.save(lot(`b-${n}`), created)
    })
    process.stdout.write(`${n}\n`)
  }
}
await Promise.all(Array.from({ length: 8 }, write))
