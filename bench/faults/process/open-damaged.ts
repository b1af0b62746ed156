import { createInterface } from 'node:readline'
import { systemClock } from '../../../core/base/clock.ts'
import { type TaktError, toTaktError } from '../../../core/base/error.ts'
import { openStore } from '../../../core/store/open-store.ts'
import type { OpenedDamaged } from '../support/damaged.ts'

/** Opens the database of each path on its standard input, as a start of Node-RED does, writes to it, verifies it, and answers a line of JSON. */
for await (const file of createInterface({ input: process.stdin })) {
  const warnings: string[] = []
  const store = openStore({ file, clock: systemClock, onWarning: (error) => warnings.push(error.message) })
  let answer: OpenedDamaged
  try {
    await store.transaction((tx) => tx.record({ type: 'fault-harness.opened', subject: 'fault-harness', actor: 'fault-harness' }))
    const { ok, fault } = await store.verify()
    answer = { warnings, ok, fault }
  } catch (thrown) {
    const { code, message }: TaktError = toTaktError(thrown, file)
    answer = { warnings, code, message }
  }
  await store.close().catch((thrown: unknown) => {
    answer = { ...answer, warnings: [...warnings, `closing: ${String(thrown)}`] }
  })
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
