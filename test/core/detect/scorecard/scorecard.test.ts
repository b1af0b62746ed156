import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ManualClock } from '../../../../core/base/clock.ts'
import { recordAnomaly, standingAnomalies } from '../../../../core/detect/record-anomaly.ts'
import { recordVerdict } from '../../../../core/detect/record-verdict.ts'
import { dropScope, readScopes, saveScope } from '../../../../core/detect/scorecard/detector-scopes.ts'
import { pastStops } from '../../../../core/detect/scorecard/past-stops.ts'
import { ScopeKeeper } from '../../../../core/detect/scorecard/scope-keeper.ts'
import { scorecard } from '../../../../core/detect/scorecard/scorecard.ts'
import type { Anomaly } from '../../../../core/messages/anomaly.ts'
import type { MachineState } from '../../../../core/messages/machine-state.ts'
import { timeElement } from '../../../../core/signal/packml.ts'
import { openStore } from '../../../../core/store/open-store.ts'
import type { Store } from '../../../../core/store/store.ts'

const START = Date.UTC(2026, 2, 2, 6)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const MILL = 'acme/line-1/mill-1'
const SAW = 'acme/line-1/saw-1'

describe('scorecard', () => {
  let folder: string
  let store: Store
  let clock: ManualClock

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-scorecard-'))
    clock = new ManualClock(START)
    store = openStore({ file: join(folder, 'takt.db'), clock })
  })
  afterEach(async () => {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** States of a unit, one after the other: when it began (hours from the start), state, mode. */
  async function states(
    equipment: string,
    ...list: ReadonlyArray<readonly [at: number, state: MachineState['state'], mode?: MachineState['mode']]>
  ): Promise<void> {
    const rows = list.map(([at, state, mode = 'Produce'], index) => ({
      equipment,
      state,
      mode,
      element: timeElement(state, mode),
      reason: null,
      job_order: null,
      since: START + at * HOUR,
      until: list[index + 1] === undefined ? null : START + list[index + 1]![0] * HOUR,
    }))
    await store.transaction((tx) =>
      tx.db
        .insertInto('machine_state')
        .values(rows)
        .execute()
        .then(() => {}),
    )
  }

  async function alarm(id: string, since: number, cleared: number | null, more: Partial<Anomaly> = {}): Promise<void> {
    const anomaly: Anomaly = {
      kind: 'anomaly',
      id,
      equipment: MILL,
      signals: ['vibration'],
      state: 'raised',
      method: 'auto',
      score: 0.9,
      severity: 'medium',
      since: START + since * HOUR,
      time: START + since * HOUR,
      evidence: [],
      detector: 'd1',
      detectorName: 'wear',
      ...more,
    }
    await recordAnomaly(store, anomaly, 'node:d1')
    if (cleared !== null) await recordAnomaly(store, { ...anomaly, state: 'cleared', time: START + cleared * HOUR }, 'node:d1')
  }
  const scope = (detector: string, name: string, equipment: readonly string[], since = 0) =>
    saveScope(store, { detector, name, method: 'auto', equipment, since: START + since * HOUR })
  const span = (from: number, to: number) => ({ from: START + from * HOUR, to: START + to * HOUR })

  describe('past stops', () => {
    const stops = async (units?: readonly string[], from = 0, to = 1000) =>
      (await pastStops(store, units, START + from * HOUR, START + to * HOUR)).map(({ equipment, at, kind }) => [equipment, (at - START) / HOUR, kind])

    it('are failures and repairs, one each until the unit has worked again; a pause is none', async () => {
      await states(
        MILL,
        [0, 'Execute'],
        [1, 'Held'],
        [2, 'Execute'],
        [3, 'Aborting'],
        [3.1, 'Aborted'],
        [4, 'Execute', 'Maintenance'],
        [5, 'Complete', 'Maintenance'],
        // back in mode Produce it still has to be cleared
        [5.5, 'Aborted'],
        [5.6, 'Clearing'],
        [5.7, 'Stopped'],
        [6, 'Execute'],
        [10, 'Aborted'],
        [11, 'Stopped'],
        [11.5, 'NoSignal'],
        [12, 'Aborted'],
        [13, 'Execute'],
        [20, 'Stopped'],
        [21, 'Idle', 'Maintenance'],
        [22, 'Execute'],
      )
      await states(SAW, [0, 'Execute'], [7, 'Aborted'])
      assert.deepEqual(await stops([MILL]), [
        [MILL, 3, 'failure'],
        [MILL, 4, 'repair'],
        [MILL, 10, 'failure'],
        [MILL, 21, 'repair'],
      ])
      assert.deepEqual(await stops([SAW]), [[SAW, 7, 'failure']])
      assert.equal((await stops()).length, 5)
      // the failure that lasts into the span began before it
      assert.deepEqual(await stops([MILL], 3.05, 11), [
        [MILL, 4, 'repair'],
        [MILL, 10, 'failure'],
      ])
      assert.deepEqual(await stops([MILL], 11.8, 13), [])
    })
  })

  it('scores each detector by hand', async () => {
    await states(MILL, [0, 'Execute'], [30, 'Aborted'], [31, 'Execute', 'Maintenance'], [33, 'Execute'], [60, 'Execute', 'Maintenance'], [61, 'Execute'])
    await states(SAW, [0, 'Execute'], [70, 'Aborted'], [71, 'Execute'])
    await scope('d1', 'wear', [MILL, SAW])
    await scope('d2', 'heat', [SAW])
    await alarm('an-1', 28, 33)
    await alarm('an-2', 40, 41)
    await alarm('an-3', 57, 61)
    await alarm('an-4', 65, 66, { equipment: SAW, detector: 'd2', detectorName: 'heat' })
    const [heat, wear, ...others] = await scorecard(store, span(0, 168))
    assert.deepEqual(others, [])
    assert.deepEqual([heat?.detector, heat?.name, heat?.method], ['d2', 'heat', 'auto'])
    // the saw's failure at 70 was foreseen by heat five hours before, and not by wear, which watches the saw too
    assert.deepEqual([heat?.confirmed, heat?.recall, heat?.leadMs?.median], [1, 1, 5 * HOUR])
    assert.deepEqual([wear?.alarms, wear?.confirmed, wear?.refused, wear?.undecided], [3, 1, 1, 1])
    assert.deepEqual([wear?.precision, wear?.stops, wear?.foreseen, wear?.recall], [1 / 2, 2, 1, 1 / 2])
    assert.deepEqual([wear?.leadMs?.median, wear?.falsePerWeek], [2 * HOUR, 1])

    // a person says that the repair found the fault
    await recordVerdict(store, { anomaly: 'an-3', decision: 'confirmed', by: 'eva', why: undefined }, 'node:d1')
    const [, after] = await scorecard(store, span(0, 168))
    assert.deepEqual([after?.precision, after?.stops, after?.foreseen], [2 / 3, 3, 2])
    assert.deepEqual(after?.leadMs, { median: 2.5 * HOUR, least: 2 * HOUR, most: 3 * HOUR })
    const [only, ...none] = await scorecard(store, { ...span(0, 168), equipment: [MILL] })
    assert.deepEqual([only?.name, only?.stops, none.length], ['wear', 2, 0])
  })

  it('scores the silence of a detector too, from when it began to watch', async () => {
    await states(MILL, [0, 'Execute'], [10, 'Aborted'], [11, 'Execute'], [90, 'Aborted'], [91, 'Execute'])
    await scope('d1', 'silent', [MILL])
    await scope('d2', 'new', [MILL], 84)
    await scope('d3', 'elsewhere', [SAW])
    const scores = await scorecard(store, span(0, 168))
    assert.deepEqual(
      scores.map(({ name, stops, recall, alarms, precision }) => [name, stops, recall, alarms, precision]),
      [
        ['elsewhere', 0, null, 0, null],
        ['new', 1, 0, 0, null],
        ['silent', 2, 0, 0, null],
      ],
    )
    assert.equal(scores[1]?.from, START + 84 * HOUR)
    await dropScope(store, 'd1')
    assert.deepEqual(
      (await scorecard(store, span(0, 168))).map(({ name }) => name),
      ['elsewhere', 'new'],
    )
  })

  it('scores alarms that do not say who raised them by their method', async () => {
    await states(MILL, [0, 'Execute'], [10, 'Aborted'], [11, 'Execute'])
    await alarm('an-old', 9, 11, { detector: undefined, detectorName: undefined } as never)
    const [score] = await scorecard(store, span(0, 24))
    assert.deepEqual([score?.detector, score?.name, score?.confirmed, score?.recall], ['', 'auto', 1, 1])
  })

  it('keeps the watched equipment through a restart, and begins anew with another method', async () => {
    const own = { detector: 'd1', name: 'wear', method: 'auto' }
    const first = new ScopeKeeper(store, own, () => clock.now())
    first.saw(MILL)
    await first.save()
    const second = new ScopeKeeper(store, own, () => START + DAY)
    second.saw(SAW)
    await second.save()
    assert.deepEqual(await readScopes(store), [{ ...own, equipment: [MILL, SAW], since: START }])
    const other = new ScopeKeeper(store, { ...own, method: 'ewma' }, () => START + 2 * DAY)
    other.saw(SAW)
    await other.save()
    assert.deepEqual(await readScopes(store), [{ ...own, method: 'ewma', equipment: [SAW], since: START + 2 * DAY }])
  })

  it('leaves standing alarms to the detector that raised them, and takes on those of one that is gone', async () => {
    await scope('d1', 'wear', [MILL])
    await alarm('an-1', 1, null)
    await alarm('an-2', 2, null, { detector: 'd9' })
    await alarm('an-3', 3, null, { detector: undefined } as never)
    const ids = async (detector?: string) => (await standingAnomalies(store, detector)).map(({ id }) => id)
    assert.deepEqual(await ids(), ['an-1', 'an-2', 'an-3'])
    assert.deepEqual(await ids('d1'), ['an-1', 'an-2', 'an-3'])
    assert.deepEqual(await ids('d2'), ['an-2', 'an-3'])
  })
})
