import { TaktError } from '../../core/base/error.ts'
import type { WatchSetting } from '../../core/detect/anomaly-watch.ts'
import { SummedWarning } from './summed-warning.ts'

type Hears = Required<Pick<WatchSetting, 'forgotten' | 'refused' | 'contextForgotten'>>

/** What a watch had to forget or to refuse because it is bounded: hears of each, tells it in sum. */
export interface TellsOfBounds {
  readonly hears: Hears
  /** `now`: real time, ms. */
  report(now: number): void
}

export function tellsOfBounds(maxSignals: number, where: string, tell: (what: string) => void): TellsOfBounds {
  const tooMany = (what: string): void => tell(new TaktError('TAKT_SIGNALS_TOO_MANY', { what, where }).message)
  const most = `it watches ${maxSignals} signals at most`
  let equipmentRefused = ''
  let signalRefused = ''
  const idle = new SummedWarning((count) => tell(`${where}: ${signals(count)} of which nothing was heard lately forgotten`))
  const room = new SummedWarning((count) => tooMany(`${most}; ${signals(count)}, new ones or those heard of longest ago, forgotten for others`))
  const full = new SummedWarning((count) =>
    tooMany(`${most}, and all of them are in alarm; ${count} values of others not judged, the last of '${equipmentRefused}/${signalRefused}'`),
  )
  const contexts = new SummedWarning((count) => tell(`${where}: baselines of ${count} contexts, those left longest ago, forgotten for newer ones`))
  return {
    hears: {
      forgotten: (count, why) => (why === 'idle' ? idle : room).add(count),
      refused: (equipment, signal) => {
        equipmentRefused = equipment
        signalRefused = signal
        full.add(1)
      },
      contextForgotten: () => contexts.add(1),
    },
    report(now) {
      for (const warning of [idle, room, full, contexts]) warning.report(now)
    },
  }
}

function signals(count: number): string {
  return `${count} signal${count === 1 ? '' : 's'}`
}
