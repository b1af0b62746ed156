import type { Node, NodeAPI } from 'node-red'
import { TaktError, toTaktError } from '../../core/base/error.ts'
import { DEFAULT_HORIZON_MS, type DetectorScore, scorecard } from '../../core/detect/scorecard/scorecard.ts'
import type { StoreReader } from '../../core/store/store.ts'

const PATH = '/takt/anomaly/:id/scorecard'
const WHERE = 'scorecard'
const DAY_MS = 86_400_000
const DAYS = 7
const DAYS_MOST = 366
/** A store that cannot be opened answers never. */
const PATIENCE_MS = 20_000

interface Request {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
}
interface Response {
  json(body: unknown): unknown
  status(code: number): Response
}

/** What the dialog gets. `score` null: the detector has judged nothing in the span; from `score.from` on, where it began later than the span. */
export interface ScorecardAnswer {
  readonly from: number
  readonly to: number
  readonly horizonMs: number
  readonly score: DetectorScore | null
}

interface Scored {
  readonly store: StoreReader | undefined
  /** Plant time, epoch ms. */
  readonly now: () => number
}

/** What each running detector is scored by. */
const scored = new WeakMap<object, Scored>()

export function rememberScored(node: Node, by: Scored): void {
  scored.set(node, by)
}

/**
 * For the dialogs of anomaly and anomaly-group, with the permission `takt-anomaly.read`: `GET /takt/anomaly/<id>/scorecard?days=7` gives a ScorecardAnswer for the
 * last days of plant time, or 400 with `{ code, what, todo }`.
 */
export function serveScorecard(RED: NodeAPI): void {
  RED.httpAdmin?.get(PATH, RED.auth.needsPermission('takt-anomaly.read'), (async ({ params, query }: Request, response: Response) => {
    try {
      response.json(await inTime(answer(RED, String(params.id), query.days)))
    } catch (thrown) {
      const { code, what, remedy: todo } = toTaktError(thrown, WHERE)
      response.status(400).json({ code, what, todo })
    }
  }) as never)
}

async function answer(RED: NodeAPI, id: string, given: unknown): Promise<ScorecardAnswer> {
  const node = RED.nodes.getNode(id)
  const by = node === null || node === undefined ? undefined : scored.get(node)
  if (by === undefined) throw new TaktError('TAKT_CONFIG_INVALID', { what: 'the detector is not deployed yet, or is disabled', where: WHERE })
  if (by.store === undefined) throw new TaktError('TAKT_ANOMALY_NOT_KEPT', { where: WHERE })
  const days = given === undefined ? DAYS : Number(given)
  if (!(days > 0 && days <= DAYS_MOST))
    throw new TaktError('TAKT_CONFIG_INVALID', { what: `days is '${String(given).slice(0, 40)}' where a number to ${DAYS_MOST} is taken`, where: WHERE })
  const to = by.now()
  const span = { from: to - days * DAY_MS, to, horizonMs: DEFAULT_HORIZON_MS }
  const score = (await scorecard(by.store, span)).find(({ detector }) => detector === id) ?? null
  return { ...span, score }
}

function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TaktError('TAKT_TIMEOUT', { what: 'the store does not answer', where: WHERE })), PATIENCE_MS)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
