import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { randomFrom } from '../process/order-life.ts'
import { audit, readAnchors } from '../support/audit/audit.ts'
import { DONE } from '../support/audit/effects.ts'
import { ledgerLines, sqliteSource } from '../support/audit/source.ts'
import type { CaseContext, FaultCase, Outcome } from '../support/case.ts'
import { copyDatabase, DAMAGES, damage, Opener } from '../support/damaged.ts'
import { PlantFloor } from '../support/plant-floor.ts'
import { toldIn } from '../support/traffic.ts'

/** Commands after which a process is killed; each leaves a database with another log. */
const BASES = [20, 90, 250, 600]
const ANSWER_MS = 30_000
const SEED = 6

interface Base {
  readonly file: string
  /** sequence number → hash of the rows up to the last command that was told done: they must be found, or be said to be missing */
  readonly told: ReadonlyMap<number, string>
}

type Fate = 'nothing missing' | 'tail named' | 'coded' | 'named by verify'

/** Log files of killed processes are cut, zeroed and bit-flipped; each is then opened and verified. */
export async function openDamaged(palette: string, damages: number): Promise<Outcome> {
  const floor = await PlantFloor.open(palette, 'sqlite')
  const opener = new Opener(palette)
  try {
    const bases = await makeBases(floor)
    const fates = new Map<Fate, number>()
    const silent: string[] = []
    const broken: string[] = []
    let lost = 0
    for (let n = 0; n < damages; n++) {
      const base = bases[n % bases.length] as Base
      const how = DAMAGES[Math.floor(n / bases.length) % DAMAGES.length] as (typeof DAMAGES)[number]
      const file = join(floor.folder, `damaged-${n}.db`)
      copyDatabase(base.file, file)
      damage(`${file}-wal`, how, randomFrom(`${SEED} ${n}`))
      const opened = await opener.open(file, ANSWER_MS)
      const name = `no. ${n} (${how})`
      if (opened === undefined) broken.push(`${name}: crash or hang`)
      else if (opened.code !== undefined) {
        if (opened.code === 'TAKT_STORE_CORRUPT') count(fates, 'coded')
        else broken.push(`${name}: ${opened.code} ${opened.message ?? ''}`)
      } else {
        const seen = await lookInto(file, base)
        lost += seen.missing.length
        if (seen.problem === undefined && seen.missing.length === 0 && opened.ok === true) count(fates, 'nothing missing')
        else if (seen.problem === undefined && seen.isTailNamed && opened.fault?.sequence === seen.missing[0]) count(fates, 'tail named')
        else if (opened.fault) count(fates, 'named by verify')
        else silent.push(`${name}: ${seen.problem ?? `rows ${seen.missing[0]} to ${seen.missing.at(-1)} are missing`}`)
      }
      for (const part of ['', '-wal', '-shm', '.anchor', '.lock']) rmSync(file + part, { force: true })
    }
    const note = [[...fates].map(([fate, times]) => `${times} × ${fate}`).join(', '), ...silent.slice(0, 3), ...broken.slice(0, 3)]
    const declared = damages - (fates.get('nothing missing') ?? 0) - silent.length - broken.length
    return { sent: damages, lost, doubled: 0, violated: broken.length, gaps: { declared, undeclared: silent.length }, note: note.join('; ') }
  } finally {
    opener.close()
    await floor.close()
  }
}

async function makeBases(floor: PlantFloor): Promise<Base[]> {
  const bases: Base[] = []
  const traffic = floor.traffic('a')
  let told = 0
  for (const commands of BASES) {
    traffic.start()
    await traffic.until(() => told + traffic.told >= commands, `${commands} commands are done`, 120_000)
    await traffic.kill()
    told += traffic.told
    const file = join(floor.folder, `base-${commands}.db`)
    copyDatabase(floor.file, file)
    const whole = join(floor.folder, 'whole.db')
    copyDatabase(file, whole)
    const source = sqliteSource(whole)
    const rows = new Map<number, string>()
    const done = toldIn(...floor.logs)
    let last = 0
    for await (const { sequence, hash, type, subject } of ledgerLines(source)) {
      rows.set(sequence, hash)
      if (type === DONE && done.has(subject)) last = sequence
    }
    await source.close()
    for (const part of ['', '-wal', '-shm', '.anchor']) rmSync(whole + part, { force: true })
    bases.push({ file, told: new Map([...rows].filter(([sequence]) => sequence <= last)) })
  }
  return bases
}

interface Seen {
  /** Numbers of rows that are not there. */
  readonly missing: readonly number[]
  /** They are the tail, all of it, and the ledger says so itself. */
  readonly isTailNamed: boolean
  readonly problem?: string
}

async function lookInto(file: string, { told }: Base): Promise<Seen> {
  try {
    const source = sqliteSource(file)
    try {
      const there = new Map<number, string>()
      for await (const { sequence, hash } of ledgerLines(source)) there.set(sequence, hash)
      const missing = [...told.keys()].filter((sequence) => there.get(sequence) !== told.get(sequence))
      const { findings, named } = await audit(source, { anchors: readAnchors(`${file}.anchor`) })
      const [gap] = named
      // rows that nobody had been told of may be missing behind them
      const isTailNamed = named.length === 1 && gap?.from === missing[0] && (gap?.to ?? 0) >= (missing.at(-1) ?? 0) && isRun(missing)
      named.length === 1 && gap?.from === missing[0] && gap?.to === missing.at(-1) && missing.length === (gap?.to ?? 0) - (gap?.from ?? 0) + 1
      return { missing, isTailNamed, ...(findings.lost + findings.doubled + findings.violated > 0 && { problem: findings.evidence }) }
    } finally {
      await source.close()
    }
  } catch (thrown) {
    return { missing: [], isTailNamed: false, problem: String(thrown) }
  }
}

function isRun(numbers: readonly number[]): boolean {
  return numbers.every((number, at) => at === 0 || number === (numbers[at - 1] ?? 0) + 1)
}

function count<K>(times: Map<K, number>, key: K): void {
  times.set(key, (times.get(key) ?? 0) + 1)
}

export const damaged: FaultCase = {
  name: 'SQLite log cut, zeroed or bit-flipped, opened and verified',
  promise: 'named',
  run: ({ palette, size }: CaseContext) => openDamaged(palette, size.damages),
}
