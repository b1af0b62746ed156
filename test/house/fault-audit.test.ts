import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { orderLife } from '../../bench/faults/process/order-life.ts'
import { type Audit, audit, readAnchors } from '../../bench/faults/support/audit/audit.ts'
import { DONE, LED } from '../../bench/faults/support/audit/effects.ts'
import { sqliteSource } from '../../bench/faults/support/audit/source.ts'
import { ManualClock } from '../../core/base/clock.ts'
import { openStore } from '../../core/store/open-store.ts'
import { enqueue } from '../../core/store/outbox.ts'

/** With it the few lives hold one of everything. */
const SEED = 76

/** The reader that judges the fault suite: it finds nothing wrong in a sound database, and each kind of fault in one that was doctored. */
describe("the fault suite's independent reader", () => {
  let folder: string
  let sound: string
  const told: string[] = []
  const received = new Map<number, string[]>()

  before(async function () {
    this.timeout(30_000)
    folder = mkdtempSync(join(tmpdir(), 'takt-audit-'))
    sound = join(folder, 'sound.db')
    const clock = new ManualClock(1_763_810_000_000)
    const store = openStore({ file: sound, clock })
    const commands = ['a', 'b'].flatMap((writer) => [0, 1].flatMap((life) => [...orderLife({ writer, life, seed: SEED })]))
    for (const { key, does, givenUp } of commands) {
      clock.advance(1000)
      const work = store.transaction(async (tx) => {
        assert.equal(await tx.once(key), true)
        await does(tx)
        if (givenUp === true) throw new Error('given up')
        await tx.record({ type: DONE, subject: key, actor: 'test' })
        await enqueue(tx, { destination: 'erp', topic: 't', body: key }, clock)
      })
      if (givenUp === true) await assert.rejects(work)
      else {
        await work
        told.push(key)
      }
    }
    await store.transaction(async (tx) => {
      for (const token of [1, 2]) await tx.record({ type: LED, subject: 'a', actor: 'test', after: { token } })
      for (const { id, body } of await tx.db.selectFrom('outbox').select(['id', 'body']).execute()) received.set(id, [body])
      await tx.db.deleteFrom('outbox').execute()
    })
    await store.close()
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  async function look(doctor?: (db: DatabaseSync) => void, input: { told?: string[]; received?: Map<number, string[]> } = {}): Promise<Audit> {
    const file = join(folder, 'doctored.db')
    copyFileSync(sound, file)
    const db = new DatabaseSync(file)
    for (const trigger of ['ledger_update', 'ledger_delete', 'ledger_replace']) db.exec(`DROP TRIGGER ${trigger}`)
    doctor?.(db)
    db.close()
    const source = sqliteSource(file)
    try {
      return await audit(source, { anchors: readAnchors(`${sound}.anchor`), told, received, ...input })
    } finally {
      await source.close()
    }
  }

  it('finds nothing in a sound one, in which everything happened that the traffic can do', async () => {
    const { findings, done, rows } = await look()
    assert.deepEqual(findings.all, [])
    assert.equal(done, told.length)
    assert.ok(rows > 250)
    for (const step of ['merge', 'split', 'cancel', 'hold', 'held', 'fail', 'ship'])
      assert.ok(
        told.some((key) => key.endsWith(step)),
        `no ${step} in this seed`,
      )
  })

  const FAULTS: Readonly<Record<string, readonly [sql: string, finding: RegExp]>> = {
    'a row that was changed': [`UPDATE ledger SET why = 'another' WHERE sequence = 20`, /row 20 does not give its hash/],
    'a row that is gone': ['DELETE FROM ledger WHERE sequence = 20', /lost: rows 20 to 20, and row 21 does not say so/],
    'a tail that is gone': ['DELETE FROM ledger WHERE sequence > 200', /lost: the anchored row \d+; the ledger ends at 200/],
    'a document that is not what its last row says': [
      `UPDATE work_order SET document = replace(document, '"priority":5', '"priority":6')`,
      /is not what row \d+ says of it/,
    ],
    'a column that is not what its document says': [
      `UPDATE job_order SET state = 'Running' WHERE id = (SELECT max(id) FROM job_order)`,
      /its column state is Running/,
    ],
    'a document that is gone': ['DELETE FROM lot WHERE id = (SELECT min(id) FROM lot)', /lost: lot .* is in no table/],
    'a count that is not what was told': ['UPDATE job_count SET good = good + 1 WHERE rowid = 1', /is not what the ledger told last/],
    'a count that is gone': ['DELETE FROM job_count WHERE rowid = 1', /lost: the count of/],
    'a job response that is gone': ['DELETE FROM job_response WHERE id = (SELECT min(id) FROM job_response)', /lost: the job response of/],
    'an edge that leads nowhere': ['INSERT INTO genealogy_edge VALUES (999998, 999999, 1)', /leads from or to nothing/],
    'an edge that is gone': ['DELETE FROM genealogy_edge WHERE source = (SELECT min(source) FROM genealogy_edge)', /lost: the edge between/],
    'a circle': ['INSERT INTO genealogy_edge SELECT target, source, quantity FROM genealogy_edge WHERE quantity > 0 LIMIT 1', /lie on circles/],
    'a stock that its events do not give': [
      'UPDATE lot_stock SET on_hand = on_hand + 1 WHERE node = (SELECT min(node) FROM lot_stock)',
      /are in stock, its events give/,
    ],
    'a key without its effect': [`INSERT INTO effect (key, ledger, time) VALUES ('fault/a/9/x', 1, 1)`, /is taken and nothing was done/],
    'an effect without its key': [`DELETE FROM effect WHERE key = 'fault/a/0/create'`, /was done without its key/],
    'a unit in two states': [
      `INSERT INTO machine_state (equipment, state, since) VALUES ('p/a-saw', 'Idle', 1), ('p/a-saw', 'Execute', 2)`,
      /p\/a-saw is in two states/,
    ],
    'a state that ends before it begins': [
      `INSERT INTO machine_state (equipment, state, since, until) VALUES ('p/a-saw', 'Idle', 2, 1)`,
      /ends before it begins/,
    ],
    'a message that is still in the outbox': [
      `INSERT INTO outbox (destination, topic, body, created) VALUES ('erp', 't', 'fault/a/0/create', 1)`,
      /is still in the outbox/,
    ],
  }

  for (const [what, [sql, finding]] of Object.entries(FAULTS)) {
    it(`finds ${what}`, async () => {
      const { findings } = await look((db) => db.exec(sql))
      assert.ok(
        findings.all.some((one) => finding.test(one)),
        findings.all.slice(0, 5).join('\n'),
      )
    })
  }

  /** A row of the ledger more, with nothing but its content. */
  const append =
    (type: string, subject: string, after: unknown, before: string | null = null) =>
    (db: DatabaseSync) => {
      const row = db.prepare('SELECT * FROM ledger ORDER BY sequence DESC LIMIT 1').get() as { sequence: number; time: number; hash: string }
      db.prepare('INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
        row.sequence + 1,
        type,
        subject,
        'test',
        null,
        before,
        JSON.stringify(after),
        row.time,
        row.hash,
        'no hash',
      )
    }
  const lastOf = (db: DatabaseSync, table: string, where: string): Record<string, unknown> =>
    JSON.parse(String(db.prepare(`SELECT document FROM ${table} WHERE ${where} LIMIT 1`).get()?.document))
  const next = (db: DatabaseSync): number => Number(db.prepare('SELECT max(sequence) AS head FROM ledger').get()?.head) + 1

  const APPENDED: Readonly<Record<string, readonly [doctor: (db: DatabaseSync) => void, finding: RegExp]>> = {
    'a command that was done twice': [append(DONE, 'fault/a/0/create', {}), /doubled: fault\/a\/0\/create was done 2 times/],
    'what a leader did when another one led': [append(LED, 'a', { token: 1 }), /is of leader no\. 1, after no\. 2/],
    'a row of a transaction that was given up': [append('fault-harness.undone', 'x', {}), /was given up/],
    'an order that goes a way that there is none': [
      (db) => {
        const job = lastOf(db, 'job_order', "state = 'Ended'")
        const after = { ...job, state: 'Running', revision: Number(job.revision) + 1, ledger: next(db) }
        append('job-order.running', String(job.id), after, JSON.stringify(job))(db)
      },
      /goes from Ended to Running/,
    ],
    'a unit that works on two job orders': [
      (db) => {
        const job = lastOf(db, 'job_order', "state = 'Ended'")
        for (const id of ['jo-x', 'jo-y']) {
          for (const [revision, state] of ['NotAllowedToStart', 'AllowedToStart', 'Running'].entries()) {
            const after = { ...job, id, state, revision: revision + 1, ledger: next(db) }
            append('job-order.created', id, after)(db)
          }
        }
      },
      /works on jo-y and on jo-x/,
    ],
    'quantities that a merge did not take along': [
      (db) => {
        const order = lastOf(db, 'work_order', "state = 'Closed'") as { id: string; quantity: { value: number } }
        db.prepare('UPDATE work_order SET document = ? WHERE id = ?').run(
          JSON.stringify({ ...order, quantity: { ...order.quantity, value: order.quantity.value - 1 } }),
          order.id,
        )
      },
      /were asked for, and the orders are for/,
    ],
  }
  for (const [what, [doctor, finding]] of Object.entries(APPENDED)) {
    it(`finds ${what}`, async () => {
      const { findings } = await look(doctor)
      assert.ok(
        findings.all.some((one) => finding.test(one)),
        findings.all.slice(0, 5).join('\n'),
      )
    })
  }

  it('finds what was told done and is not there, what never came out of the outbox, and what came out under two numbers', async () => {
    assert.match((await look(undefined, { told: [...told, 'fault/a/7/create'] })).findings.evidence, /lost: fault\/a\/7\/create, which was told done/)
    const [[first, [body]]] = [...received] as [[number, [string]]]
    const others = new Map([...received].filter(([id]) => id !== first))
    assert.match((await look(undefined, { received: others })).findings.evidence, /lost: what .* sent out/)
    assert.match((await look(undefined, { received: new Map([...received, [9999, [body]]]) })).findings.evidence, /was sent out under 2 numbers/)
    assert.match((await look(undefined, { received: new Map([...received, [first, [body, 'else']]]) })).findings.evidence, /said different things/)
  })

  it('knows a tail that the ledger itself says is missing', async () => {
    const store = openStore({ file: join(folder, 'tail.db'), clock: new ManualClock(1) })
    for (let n = 0; n < 5; n++) await store.transaction((tx) => tx.record({ type: 'test.event', subject: String(n), actor: 'test' }))
    await store.close()
    const db = new DatabaseSync(join(folder, 'tail.db'))
    db.exec('DROP TRIGGER ledger_delete; DELETE FROM ledger WHERE sequence > 3')
    db.close()
    const again = openStore({ file: join(folder, 'tail.db'), clock: new ManualClock(1) })
    await again.head()
    await again.close()
    const source = sqliteSource(join(folder, 'tail.db'))
    const { named, findings } = await audit(source, { anchors: readAnchors(join(folder, 'tail.db.anchor')) })
    await source.close()
    assert.deepEqual(named, [{ from: 4, to: 5 }])
    assert.deepEqual(findings.all, [])
  })
})
