import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../core/base/package-root.ts'
import { closedLoop } from '../flows/closed-loop/closed-loop.ts'

/**
 * Writes `flows/closed-loop.json` and its copy among the examples from the parts in `flows/closed-loop/`. `--check` writes nothing and fails where they are not current.
 * To change the flow, change the parts: what is drawn in the editor is not read back.
 */

const FILES = { 'flows/closed-loop.json': closedLoop(), 'examples/closed-loop.json': closedLoop() }
const check = process.argv.includes('--check')

for (const [file, flow] of Object.entries(FILES)) {
  const path = join(packageRoot, file)
  const text = `${JSON.stringify(flow, null, 2)}\n`
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue
  if (check) {
    console.error(`${file} is not what its parts make: run node scripts/build-flows.ts`)
    process.exitCode = 1
  } else {
    writeFileSync(path, text)
    console.log(`wrote ${file}`)
  }
}
