import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../core/base/package-root.ts'
import { printTable, type Row } from './support/table.ts'

/** `npm run bench [NAME]`: runs one suite, prints its table, and exits non-zero when a target is missed. */

const folder = join(packageRoot, 'bench', 'suites')
const name = process.argv[2] ?? 'plant'
if (!existsSync(join(folder, `${name}.ts`))) {
  console.error(
    `There is no suite '${name}'. Suites: ${readdirSync(folder)
      .map((file) => file.replace(/\.ts$/, ''))
      .join(', ')}`,
  )
  process.exit(2)
}
const suite = (await import(join(folder, `${name}.ts`))) as { run(): Promise<readonly Row[]> }
const met = printTable(name, await suite.run())
process.exit(met ? 0 : 1)
