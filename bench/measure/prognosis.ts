import type { Row } from '../support/table.ts'
import { STEADY, simulatedWear } from './prognosis-families.ts'
import { foretold, qualityOf, type Told } from './prognosis-lives.ts'

const LIVES = 120
const HEALTHY = 40
const SHARES = [0.25, 0.5, 0.75, 0.9] as const
/** A new machine, and one whose damage is about to be felt: of the first, only the last tenth of the life shows. */
const WORN_AT = { new: 0.02, worn: 0.58 } as const

/** Prognosis on the simulator's wear, a reading each 30 s of cutting, until the vibration's alarm limit; on healthy signals how often it speaks all the same. */
export async function prognosisRows(): Promise<readonly Row[]> {
  const lives = Array.from({ length: LIVES }, (_, seed) => simulatedWear(1000 + seed, seed % 2 === 0 ? WORN_AT.new : WORN_AT.worn))
  const all: Told[] = []
  const at = new Map<number, Told[]>(SHARES.map((share) => [share, []]))
  for (const [index, life] of lives.entries()) {
    const told = foretold(life).filter(({ left }) => left >= 1)
    all.push(...told)
    // life consumed is told of the worn ones: a new one shows nothing for nine tenths of its life
    if (index % 2 === 1) for (const share of SHARES) at.get(share)?.push(told[Math.min(told.length - 1, Math.floor(share * life.failure))] as Told)
  }
  const { coverage, prognoses, tooSoon, tooLate } = qualityOf(all)
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`
  const rows: Row[] = [
    {
      what: `prognosis, simulator's wear, ${LIVES} lives: truth within the nominal 90 % interval`,
      figure: 100 * coverage,
      unit: '%',
      target: { atLeast: 80 },
      note: `${prognoses} prognoses; the end came later in ${percent(tooSoon)}, sooner in ${percent(tooLate)}`,
    },
    { what: '  not more than', figure: 100 * coverage, unit: '%', target: { atMost: 95 } },
  ]
  for (const share of SHARES) {
    const { error, share: spoken, coverage: held } = qualityOf(at.get(share) ?? [])
    const what = `  median error at ${percent(share)} of life, of the rows left`
    if (Number.isNaN(error)) rows.push({ what, figure: Number.NaN, unit: '%', missing: 'no trend yet' })
    else rows.push({ what, figure: 100 * error, unit: '%', note: `a trend in ${percent(spoken)} of the lives, ${percent(held)} of them within the interval` })
  }
  for (const [name, family] of Object.entries(STEADY)) {
    const told = Array.from({ length: HEALTHY }, (_, seed) => foretold(family(2000 + seed))).flat()
    rows.push({ what: `  ${name}: rows with a (false) prognosis`, figure: 100 * qualityOf(told).share, unit: '%' })
  }
  return rows
}
