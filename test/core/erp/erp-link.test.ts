import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../../core/base/clock.ts'
import type { TaktError } from '../../../core/base/error.ts'
import { checkChannel, type ErpChannel } from '../../../core/erp/channel.ts'
import { ErpLink } from '../../../core/erp/erp-link.ts'
import { HttpPost, type HttpTarget } from '../../../core/erp/http-post.ts'
import type { ErpMessage } from '../../../core/messages/erp-message.ts'
import { openStore } from '../../../core/store/open-store.ts'
import type { Store } from '../../../core/store/store.ts'
import { count, memoryStore, plant, released, show } from '../orders/fixture.ts'
import { ErpServer } from './support/erp-server.ts'

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('the way to the ERP', () => {
  let store: Store
  let erp: ErpServer
  let link: ErpLink
  let post: HttpPost
  let told: ErpMessage[]
  let problems: Array<TaktError | undefined>

  beforeEach(async () => {
    ;({ store } = memoryStore())
    erp = new ErpServer()
    await erp.listen()
    told = []
    problems = []
  })
  afterEach(async () => {
    await link.stop()
    post.close()
    await erp.close()
    await store.close()
  })

  async function begin(target: Partial<HttpTarget> = {}, channel: Partial<ErpChannel> = {}): Promise<void> {
    post = new HttpPost({
      url: erp.url,
      method: 'POST',
      timeoutMs: 300,
      authorization: undefined,
      tls: undefined,
      numberAt: '',
      where: 'test',
      ...target,
    })
    link = new ErpLink({
      store,
      plant: () => plant,
      clock: systemClock,
      channel: checkChannel({ format: 'json', system: '*', ...channel }, 'test'),
      from: 'beginning',
      settleMs: 0,
      timeoutMs: 300,
      because: { actor: 'node:erp' },
      where: 'test',
      pauseMs: 30,
      longestPauseMs: 100,
      deliver: (message, body) => post.deliver(message, body),
      told: (message) => told.push(message),
      failed: (problem) => assert.fail(problem),
      problem: (problem) => problems.push(problem),
    })
    await link.start()
  }
  /** A job order at the saw that is over. */
  async function make(id: string): Promise<string> {
    const job = `jo-${id}-10-saw`
    await released(store, { id })
    await show(store, 'p/saw', 'Execute', job, { since: 2_000_000 })
    await count(store, 'p/saw', job, 10, 0)
    await show(store, 'p/saw', 'Complete', job, { since: 2_060_000 })
    return `erp:${job}:1`
  }
  async function until(message: string, state: ErpMessage['state']): Promise<ErpMessage> {
    for (let n = 0; n < 300; n++) {
      const found = await store.get('erp-message', message)
      if (found?.state === state) return found
      await sleep(10)
    }
    return assert.fail(`${message} did not become ${state}: ${JSON.stringify(await store.get('erp-message', message))}`)
  }
  const waiting = async (): Promise<number> =>
    Number(
      (
        await store.db
          .selectFrom('outbox')
          .select(({ fn }) => fn.countAll().as('n'))
          .executeTakeFirst()
      )?.n,
    )

  it('brings what ended, with its id as a key, and keeps the receipt with the number that the ERP gives', async () => {
    erp.reply = () => ({ status: 201, body: '{"d":{"doc":5000017702}}' })
    await begin({ url: `${erp.url}/{order}?job={job}&id={id}`, method: 'PUT', authorization: 'Bearer t-1', numberAt: '$.d.doc' })
    const id = await make('wo-1')
    const { receipt } = await until(id, 'received')
    assert.deepEqual([receipt?.status, receipt?.number], ['201 Created', '5000017702'])
    const [taken, none] = erp.taken
    assert.equal(none, undefined)
    assert.deepEqual([taken?.method, taken?.id, taken?.url], ['PUT', id, `/orders/wo-1?job=jo-wo-1-10-saw&id=${encodeURIComponent(id)}`])
    assert.deepEqual([taken?.headers.authorization, taken?.headers['content-type']], ['Bearer t-1', 'application/json; charset=utf-8'])
    assert.equal(JSON.parse(taken!.body).jobs[0].good, 10)
    assert.equal(await waiting(), 0)
    assert.deepEqual(
      told.map(({ state }) => state),
      ['waiting', 'received'],
    )
    const events = (await store.events(0, 1000)).filter(({ type }) => type.startsWith('erp-message.')).map(({ type }) => type)
    assert.deepEqual(events, ['erp-message.written', 'erp-message.received'])
  })

  it('waits for an ERP that is away, tells so, and brings everything when it is back', async () => {
    await erp.close()
    await begin()
    const ids = [await make('wo-1'), await make('wo-2')]
    await sleep(300)
    assert.equal(erp.taken.length, 0)
    assert.equal(link.figures.waiting, 2)
    assert.ok(link.figures.oldestMs >= 100)
    assert.equal(problems.at(-1)?.code, 'TAKT_ERP_AWAY')
    await erp.listen()
    for (const id of ids) await until(id, 'received')
    await sleep(150)
    assert.equal(problems.at(-1), undefined)
    assert.deepEqual(erp.taken.map(({ id }) => id).sort(), ids.sort())
  })

  it('asks again with the same id where no answer came in time, and takes 409 for a receipt', async () => {
    erp.reply = () => (erp.taken.length === 1 ? undefined : { status: 409, body: '{"id":"known-7"}' })
    await begin({ timeoutMs: 80 })
    const id = await make('wo-1')
    const { receipt } = await until(id, 'received')
    assert.deepEqual([receipt?.status, receipt?.number], ['409 known already', 'known-7'])
    assert.deepEqual(
      erp.taken.map((taken) => [taken.id, taken.body]),
      [
        [id, erp.taken[0]!.body],
        [id, erp.taken[0]!.body],
      ],
    )
  })

  it('lets others go while the ERP fails over one message, and waits with all where it lets nobody in or has no time', async () => {
    erp.reply = ({ id }) => ({ status: id.includes('wo-bad') && erp.taken.filter((taken) => taken.id === id).length < 3 ? 500 : 200 })
    await begin()
    const bad = await make('wo-bad')
    await until(await make('wo-1'), 'received')
    await until(bad, 'received')
    assert.ok(erp.taken.filter(({ id }) => id === bad).length > 1)

    for (const status of [401, 503, 429, 302]) {
      const before = erp.taken.length
      erp.reply = () => ({ status, headers: { location: 'http://127.0.0.1:1/' } })
      const id = await make(`wo-${status}`)
      await erp.until((taken) => taken.length >= before + 2)
      assert.equal((await store.get('erp-message', id))?.state, 'waiting')
      erp.reply = () => ({ status: 204 })
      await until(id, 'received')
    }
  })

  it('puts what the ERP refuses aside with its reason, lets what follows go, and sends it again as it was', async () => {
    erp.reply = ({ body }) => (body.includes('wo-1') ? { status: 400, body: '{"error":"no such material"}' } : { status: 201 })
    await begin()
    const id = await make('wo-1')
    const refused = await until(id, 'refused')
    assert.deepEqual([refused.problem?.code, refused.problem?.what], ['TAKT_ERP_REFUSED', '400 Bad Request: {"error":"no such material"}'])
    await until(await make('wo-2'), 'received')
    const quarantined = await store.db.selectFrom('quarantine').selectAll().execute()
    assert.deepEqual(
      quarantined.map(({ code, where }) => [code, where]),
      [['TAKT_ERP_REFUSED', `erp erp, ${id}`]],
    )
    assert.equal(await waiting(), 0)
    erp.reply = () => ({ status: 201 })
    await link.again(undefined, { actor: 'person:eva', why: 'material was made' })
    const received = await until(id, 'received')
    assert.equal(received.body, undefined)
    const sent = erp.taken.filter((taken) => taken.id === id)
    assert.deepEqual([sent.length, sent[0]!.body], [2, sent[1]!.body])
    const again = (await store.events(0, 1000)).find(({ type }) => type === 'erp-message.again')
    assert.deepEqual([again?.actor, again?.why], ['person:eva', 'material was made'])
    assert.deepEqual(await link.again([id], { actor: 'x' }), [received])
    await assert.rejects(link.again(['erp:none:1'], { actor: 'x' }), { code: 'TAKT_ERP_MESSAGE_UNKNOWN' })
  })

  it('lets people take a message out of the way', async () => {
    erp.reply = ({ body }) => ({ status: body.includes('"version":1') ? 500 : 200 })
    await begin()
    const id = await make('wo-1')
    await erp.until((taken) => taken.length >= 1)
    await count(store, 'p/saw', 'jo-wo-1-10-saw', 10, 1)
    await sleep(100)
    const corrected = 'erp:jo-wo-1-10-saw:2'
    assert.equal((await store.get('erp-message', corrected))?.state, 'waiting', 'what follows of the same order waits')
    await link.setAside(id, { actor: 'person:eva', why: 'the ERP cannot take it' })
    await until(corrected, 'received')
    assert.equal((await store.get('erp-message', id))?.problem?.what, 'set aside: the ERP cannot take it')
  })

  it('keeps a receipt that comes late', async () => {
    erp.reply = () => undefined
    await begin({ timeoutMs: 50 })
    const id = await make('wo-1')
    await erp.until((taken) => taken.length >= 1)
    await link.answered(id, { kind: 'received', status: 'by phone', number: '12' })
    assert.deepEqual((await store.get('erp-message', id))?.receipt?.number, '12')
    await sleep(150)
    assert.equal(await waiting(), 0)
  })

  it('takes no URL that is none', async () => {
    await begin()
    for (const url of ['ftp://erp/x', 'erp', 'http://me:secret@erp/x', 'http://erp/{number}', 'http://erp/{id'])
      assert.throws(() => new HttpPost({ url, method: 'POST', timeoutMs: 1, authorization: undefined, tls: undefined, numberAt: '', where: 'test' }), {
        code: 'TAKT_CONFIG_INVALID',
      })
  })
})

describe('the way to the ERP, killed', () => {
  it('tells of each end once, by the same id with the same words, wherever the process was killed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'takt-erp-'))
    const file = join(folder, 'takt.db')
    const erp = new ErpServer()
    await erp.listen()
    const script = join(import.meta.dirname, 'support/erp-process.ts')
    const ORDERS = 8
    /** Killed when so many requests have come: before the answer, so that nothing of it is in the store. */
    for (const [round, after] of [2, 3, Number.POSITIVE_INFINITY].entries()) {
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, file, erp.url, String(ORDERS)], {
        stdio: ['pipe', 'ignore', 'inherit'],
      })
      let came = 0
      erp.reply = () => {
        came++
        if (came < after) return { status: came % 3 === 0 ? 409 : 201 }
        child.kill('SIGKILL')
        return undefined
      }
      const [code] = await once(child, 'exit')
      assert.equal(code, round === 2 ? 0 : null, `round ${round}`)
    }
    await erp.close()
    const store = openStore({ file, clock: systemClock })
    const responses = await store.list('job-response')
    const messages = await store.list('erp-message', { orderBy: 'ledger' })
    assert.equal(responses.length, ORDERS)
    assert.deepEqual(
      messages.map(({ of, version, state }) => `${of.id} ${version} ${state}`).sort(),
      responses.map(({ jobOrder }) => `${jobOrder} 1 received`).sort(),
    )
    const bodies = new Map<string, Set<string>>()
    for (const { id, body } of erp.taken) bodies.set(id, (bodies.get(id) ?? new Set()).add(body))
    assert.deepEqual([...bodies.keys()].sort(), messages.map(({ id }) => id).sort())
    assert.ok([...bodies.values()].every((said) => said.size === 1))
    assert.ok(erp.taken.length > ORDERS, 'some were delivered again')
    assert.ok((await store.verify()).ok)
    await store.close()
    rmSync(folder, { recursive: true })
  }).timeout(30_000)
})
