import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../core/base/package-root.ts'
import { type CaseContext, type FaultCase, type FaultRow, FULL, QUICK } from './support/case.ts'
import { cellsOf, printFaults } from './support/table.ts'
import { buildVariant, type Patch } from './support/variant.ts'

/**
 * `npm run faults [NAME]`: puts the palette through one suite's faults, prints lost and doubled for each, and exits non-zero when a promise is broken or a
 * seeded fault is not seen. FAULTS_QUICK=1: short. FAULTS_KILLS=n: kills at random. FAULTS_ONLY=text: only the cases whose name has it.
 */

const folder = join(packageRoot, 'bench', 'faults', 'suites')
const name = process.argv[2] ?? 'connect'
if (!existsSync(join(folder, `${name}.ts`))) {
  console.error(
    `There is no suite '${name}'. Suites: ${readdirSync(folder)
      .map((file) => file.replace(/\.ts$/, ''))
      .join(', ')}`,
  )
  process.exit(2)
}
const { cases } = (await import(join(folder, `${name}.ts`))) as { cases: readonly FaultCase[] }

const { FAULTS_QUICK, FAULTS_KILLS, FAULTS_ONLY = '', TAKT_REQUIRE_SERVICES } = process.env
const chosen = cases.filter((one) => one.name.includes(FAULTS_ONLY))
if (chosen.length === 0) {
  console.error(`No case of '${name}' has '${FAULTS_ONLY}' in its name: ${cases.map((one) => one.name).join('; ')}`)
  process.exit(2)
}
const size = FAULTS_QUICK === '1' ? QUICK : FULL
const work = mkdtempSync(join(tmpdir(), 'takt-faults-build-'))
const variants = new Map<string, Promise<string>>()
const variant = (key: string, patches: readonly Patch[]): Promise<string> => {
  const known = variants.get(key)
  if (known !== undefined) return known
  const building = buildVariant(work, key, patches)
  variants.set(key, building)
  return building
}

async function run(one: FaultCase, context: CaseContext): Promise<FaultRow> {
  const { name, promise, missing } = one
  if (missing !== undefined) return { name, promise, seconds: 0, missing }
  const start = performance.now()
  const seconds = (): number => (performance.now() - start) / 1000
  try {
    const outcome = await one.run(context)
    return { name, promise, seconds: seconds(), outcome }
  } catch (error) {
    console.error(`${name}: ${(error as Error).stack ?? String(error)}`)
    return { name, promise, seconds: seconds(), failure: (error as Error).message }
  }
}

// servers and processes that a case started are ended with this one
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

let kept = false
try {
  const context: CaseContext = {
    palette: await variant('palette', []),
    variant,
    size: FAULTS_KILLS === undefined ? size : { ...size, kills: Number(FAULTS_KILLS), trafficKills: Number(FAULTS_KILLS) },
  }
  const rows: FaultRow[] = []
  for (const one of chosen) {
    const row = await run(one, context)
    console.error(`… ${cellsOf(row).filter(Boolean).join(' · ')}`)
    rows.push(row)
  }
  kept = printFaults(name, rows, TAKT_REQUIRE_SERVICES === '1')
} finally {
  rmSync(work, { recursive: true, force: true })
}
process.exit(kept ? 0 : 1)
