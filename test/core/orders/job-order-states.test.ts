import assert from 'node:assert/strict'
import { TaktError } from '../../../core/base/error.ts'
import { JOB_ORDER_STATES, JOB_ORDER_SUBSTATES, type JobOrderSubstate } from '../../../core/messages/job-order.ts'
import { JOB_ORDER_COMMANDS, JOB_ORDER_REPORTS, type JobOrderStatus, jobOrderTransition } from '../../../core/orders/job-order-states.ts'

const N = 'NotAllowedToStart'
const A = 'AllowedToStart'

/** The state machine of OPC 10031-4, written down a second time: every way that there is, by command or report. */
const LEGAL: Readonly<Record<string, readonly (readonly [from: string, to: string])[]>> = {
  Store: [['Absent', `${N}/Waiting`]],
  StoreAndStart: [['Absent', `${A}/Waiting`]],
  Update: [
    [`${N}/*`, `${N}/*`],
    [`${A}/*`, `${A}/*`],
  ],
  Start: [[`${N}/*`, `${A}/*`]],
  RevokeStart: [[`${A}/*`, `${N}/*`]],
  Pause: [['Running', 'Interrupted/Held']],
  Resume: [['Interrupted/*', 'Running']],
  Stop: [
    ['Running', 'Ended/Completed'],
    ['Interrupted/*', 'Ended/Completed'],
  ],
  Abort: [
    [`${N}/*`, 'Aborted'],
    [`${A}/*`, 'Aborted'],
    ['Running', 'Aborted'],
    ['Interrupted/*', 'Aborted'],
  ],
  Cancel: [
    [`${N}/*`, 'Aborted'],
    [`${A}/*`, 'Aborted'],
  ],
  Clear: [
    ['Ended/*', 'Ended/Closed'],
    ['Aborted', 'Aborted'],
  ],
  Wait: [
    [`${N}/*`, `${N}/Waiting`],
    [`${A}/*`, `${A}/Waiting`],
  ],
  Ready: [
    [`${N}/*`, `${N}/Ready`],
    [`${A}/*`, `${A}/Ready`],
  ],
  Load: [
    [`${N}/*`, `${N}/Loaded`],
    [`${A}/*`, `${A}/Loaded`],
  ],
  Begin: [[`${A}/*`, 'Running']],
  Hold: [
    ['Running', 'Interrupted/Held'],
    ['Interrupted/*', 'Interrupted/Held'],
  ],
  Suspend: [
    ['Running', 'Interrupted/Suspended'],
    ['Interrupted/*', 'Interrupted/Suspended'],
  ],
  Continue: [['Interrupted/*', 'Running']],
  Complete: [
    ['Running', 'Ended/Completed'],
    ['Interrupted/*', 'Ended/Completed'],
  ],
  Fail: [
    [`${A}/*`, 'Aborted'],
    ['Running', 'Aborted'],
    ['Interrupted/*', 'Aborted'],
  ],
}

/** The transitions between states that the standard knows. */
const STANDARD = [
  [N, N],
  [N, A],
  [A, N],
  [A, A],
  [A, 'Running'],
  ['Running', 'Interrupted'],
  ['Running', 'Ended'],
  ['Running', 'Aborted'],
  ['Interrupted', 'Aborted'],
  ['Interrupted', 'Running'],
  ['Interrupted', 'Ended'],
  [N, 'Aborted'],
  [A, 'Aborted'],
].map(([from, to]) => `${from} → ${to}`)

const statuses: (JobOrderStatus | null)[] = [
  null,
  ...JOB_ORDER_STATES.flatMap((state) => {
    const substates: readonly (JobOrderSubstate | null)[] = JOB_ORDER_SUBSTATES[state].length === 0 ? [null] : JOB_ORDER_SUBSTATES[state]
    return substates.map((substate) => ({ state, substate }))
  }),
]
const actions = [...JOB_ORDER_COMMANDS, ...JOB_ORDER_REPORTS]
const name = (status: JobOrderStatus | null): string =>
  status === null ? 'Absent' : status.substate === null ? status.state : `${status.state}/${status.substate}`

function expected(action: string, from: string): string | undefined {
  const [state, substate] = from.split('/')
  const way = LEGAL[action]?.find(([legal]) => legal === from || legal === `${state}/*`)
  return way?.[1].replace('*', substate ?? '')
}

describe('job order states', () => {
  for (const action of actions) {
    for (const from of statuses) {
      const to = expected(action, name(from))
      it(`${action}: ${name(from)} → ${to ?? 'refused'}`, () => {
        if (to !== undefined) return assert.equal(name(jobOrderTransition(from, action, 'here')), to)
        assert.throws(
          () => jobOrderTransition(from, action, 'here'),
          (error) => error instanceof TaktError && error.code === 'TAKT_JOB_ORDER_TRANSITION' && error.where === 'here',
        )
      })
    }
  }

  it('knows every way between states that OPC 10031-4 knows, and no other', () => {
    const ways = new Set<string>()
    for (const action of actions) {
      for (const from of statuses) {
        if (from === null || expected(action, name(from)) === undefined) continue
        const to = jobOrderTransition(from, action, 'here')
        // inside Interrupted and Ended it is the substates that change; a cleared job order stays where it ended
        if (from.state !== to.state || from.state === N || from.state === A) ways.add(`${from.state} → ${to.state}`)
      }
    }
    assert.deepEqual([...ways].sort(), [...STANDARD].sort())
  })
})
