import { createInterface } from 'node:readline'
import { type Policy, runLoop } from './loop-run.ts'

/** Lives one run for each line `{"seed": 1, "policy": {…}}` that comes in, and says its outcome as a line of JSON. */
for await (const line of createInterface({ input: process.stdin })) {
  const { seed, policy } = JSON.parse(line) as { readonly seed: number; readonly policy: Policy }
  console.log(JSON.stringify(await runLoop(seed, policy)))
}
process.exit(0)
