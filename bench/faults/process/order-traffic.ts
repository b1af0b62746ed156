import { openSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../../core/base/clock.ts'
import { TaktError, toTaktError } from '../../../core/base/error.ts'
import { Leadership, type LeadGuard } from '../../../core/store/leadership.ts'
import { openStore } from '../../../core/store/open-store.ts'
import { enqueue, OutboxWorker } from '../../../core/store/outbox.ts'
import type { StoreTransaction } from '../../../core/store/store.ts'
import { DONE, LED, UNDONE } from '../support/audit/effects.ts'
import type { TrafficOrder } from '../support/traffic-order.ts'
import { type Command, orderLife } from './order-life.ts'

/**
 * People, machines and an ERP in one process that is killed, stopped and cut off: `node order-traffic.js <order as JSON>`. Each writer takes work orders from their
 * creation to their shipping, a keyed transaction a command, and notes what it was told is done. Started again it repeats the last that it has done, and goes on.
 *
 * Lines on standard input: `clock <ms>` sets the system's clock off by so much; `inside` stops the process (SIGSTOP) in the middle of a transaction, `between` between
 * looking whether it leads and doing what a leader does. Lines on standard output: `told` at each command that is done, `leads`, `leads no more`, `inside`, `between`,
 * `refused <code>`.
 */

const order = JSON.parse(process.argv[2] ?? '{}') as TrafficOrder
const DESTINATION = 'erp'
/** What one of the instances does for all. */
const LED_WORK = 'planner'
/** A lease that outlasts a delivery, and is over soon after its holder was killed. */
const LEASE_MS = 2000
const AGAIN_MS = 100
/** Commands that are asked for once more after a start. */
const REPEATED = 3

/** As what it leads, once it has. */
let own: { readonly holder: string; readonly token: number } | undefined

const log = openSync(order.log, 'a')
const say = (line: string): void => void writeSync(1, `${line}\n`)
const real = Date.now
// as when somebody sets it: everything in the process sees it, and no other clock does
const setClock = (ms: number): void => {
  Date.now = () => real() + ms
}
setClock(order.clockMs ?? 0)
let askedFor: 'inside' | 'between' | undefined
createInterface({ input: process.stdin }).on('line', (line) => {
  const [word, value] = line.split(' ')
  if (word === 'clock') setClock(Number(value))
  if (word === 'inside' || word === 'between') askedFor = word
})

const database = 'file' in order.database ? { file: order.database.file } : { postgres: order.database }
const store = openStore({ ...database, clock: systemClock })
const outbox = new OutboxWorker(
  store,
  DESTINATION,
  async ({ id, body }) => {
    const response = await fetch(order.receiver, { method: 'POST', body: JSON.stringify({ id, body, by: order.name }) }).catch((thrown: Error) => {
      throw new TaktError('TAKT_TIMEOUT', { what: thrown.message, where: order.receiver })
    })
    await response.arrayBuffer()
    if (!response.ok) throw new TaktError('TAKT_TIMEOUT', { what: String(response.status), where: order.receiver })
  },
  { leaseMs: LEASE_MS, pollMs: 500, longestPauseMs: 1000 },
)
outbox.start()

/** Stops this process if that was asked for: it goes on when it is let. */
async function standStill(where: 'inside' | 'between'): Promise<void> {
  if (askedFor !== where) return
  askedFor = undefined
  say(where)
  // statements that are on their way arrive
  await pause(20)
  process.kill(process.pid, 'SIGSTOP')
}

class GivenUp extends Error {}

/** One command, done once however often it is asked for. */
async function once({ key, does, givenUp }: Command): Promise<void> {
  const work = async (tx: StoreTransaction): Promise<void> => {
    if (!(await tx.once(key))) return
    await does(tx)
    await standStill('inside')
    if (givenUp === true) {
      await tx.record({ type: UNDONE, subject: key, actor: order.name })
      await enqueue(tx, { destination: DESTINATION, topic: 'undone', body: `undone ${key}` })
      throw new GivenUp()
    }
    await tx.record({ type: DONE, subject: key, actor: order.name })
    await enqueue(tx, { destination: DESTINATION, topic: key.split('/')[1] ?? '', body: key })
  }
  for (;;) {
    try {
      await store.transaction(work)
      writeSync(log, `${key}\n`)
      say('told')
      return
    } catch (thrown) {
      if (thrown instanceof GivenUp) return
      const { code, what } = toTaktError(thrown, key)
      say(`refused ${code} ${key} ${what}`)
      // the store's troubles pass: the same is asked for again; anything else is a fault of Takt, and whoever started this counts it
      if (!code.startsWith('TAKT_STORE_')) return
      await pause(AGAIN_MS)
    }
  }
}

/** Where this writer goes on: at the last few commands that it has done, for somebody who was killed does not know how far he came. */
async function comeTo(writer: string): Promise<{ life: number; commands: Command[] }> {
  for (;;) {
    try {
      const rows = await store.db.selectFrom('effect').select('key').where('key', 'like', `fault/${writer}/%`).execute()
      const done = new Set(rows.map(({ key }) => key))
      const life = [...done].filter((key) => key.endsWith('/end')).length
      const commands = [...orderLife({ writer, life, seed: order.seed })]
      const last = commands.findLastIndex(({ key }) => done.has(key))
      return { life, commands: commands.slice(Math.max(0, last + 1 - REPEATED)) }
    } catch (thrown) {
      say(`refused ${toTaktError(thrown, writer).code} ${writer}`)
      await pause(AGAIN_MS)
    }
  }
}

async function write(writer: string): Promise<void> {
  for (let { life, commands } = await comeTo(writer); ; commands = [...orderLife({ writer, life, seed: order.seed })]) {
    for (const command of commands) await once(command)
    if (order.finish === true) return
    life++
  }
}

/** What only a leader may do. It looks first whether it leads, and asks again inside its transaction. */
async function lead(): Promise<never> {
  const leadership: Leadership = new Leadership(store, LED_WORK, { onChange: (leads) => say(leads ? 'leads' : 'leads no more') })
  for (;;) {
    await pause(20)
    if (!leadership.leads) continue
    const guard = leadership.claim()
    await standStill('between')
    await workOnce(guard)
  }
}

/** Where the connection was lost meanwhile it tries again, as whoever has a plan to publish: the guard is what keeps it from that. */
async function workOnce(guard: LeadGuard): Promise<void> {
  for (let attempt = 0; attempt < 10; attempt++) {
    try {
      return await store.transaction(async (tx) => {
        await guard(tx)
        await tx.record({ type: LED, subject: LED_WORK, actor: order.name, after: { token: await tokenOf(tx) } })
      })
    } catch (thrown) {
      const { code } = toTaktError(thrown, 'lead')
      say(`refused ${code} lead`)
      if (code !== 'TAKT_STORE_AWAY') return
      await pause(AGAIN_MS)
    }
  }
}

/** Which of the leaders this process is, as it saw it when it last led: told as long as another one leads. */
async function tokenOf(tx: StoreTransaction): Promise<number> {
  const row = await tx.db.selectFrom('node_state').select('state').where('node', '=', 'lease').where('key', '=', LED_WORK).executeTakeFirst()
  const { holder, token } = JSON.parse(row?.state ?? '{"holder":null,"token":0}') as { holder: string; token: number }
  if (own === undefined || own.holder === holder) own = { holder, token }
  return own.token
}

if (order.leads === true) void lead()
await Promise.all(Array.from({ length: order.writers }, (_, n) => write(`${order.name}${n}`)))
// finished: everything that is due goes out, and Takt itself has to find its ledger whole
for (;;) {
  const { left } = await store.db
    .selectFrom('outbox')
    .select(({ fn }) => fn.countAll<number>().as('left'))
    .executeTakeFirstOrThrow()
  if (Number(left) === 0) break
  outbox.wake()
  await pause(200)
}
await outbox.stop()
const { fault } = await store.verify()
if (fault !== null) say(`refused TAKT_LEDGER_FAULT ${fault.what}`)
await store.close()
process.exit(0)
