import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../core/base/package-root.ts'
import type { Row } from '../support/table.ts'

/**
 * Orders, trace, ledger and signatures, on each database. Every file in `execute/` is a section: it measures one thing and gives its rows.
 * `npm run bench execute` runs them all, one after the other; `npm run bench execute -- verify` those that are named.
 */
const folder = join(packageRoot, 'bench', 'suites', 'execute')
export const SECTIONS: readonly string[] = readdirSync(folder)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3))
  .sort()

export async function run(): Promise<readonly Row[]> {
  const asked = process.argv.slice(3)
  const unknown = asked.find((name) => !SECTIONS.includes(name))
  if (unknown !== undefined) throw new Error(`There is no section '${unknown}'. Sections: ${SECTIONS.join(', ')}`)
  const rows: Row[] = []
  for (const name of asked.length > 0 ? asked : SECTIONS) {
    const section = (await import(join(folder, `${name}.ts`))) as { run(): Promise<readonly Row[]> }
    rows.push(...(await section.run()))
  }
  return rows
}
