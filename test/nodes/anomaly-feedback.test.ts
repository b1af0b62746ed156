import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import { readScopes } from '../../core/detect/scorecard/detector-scopes.ts'
import type { Anomaly } from '../../core/messages/anomaly.ts'
import { validateDocument } from '../../core/messages/validate.ts'
import type { LedgerEvent } from '../../core/store/store.ts'
import registerAnomaly from '../../nodes/anomaly/anomaly.ts'
import { readFeedback } from '../../nodes/shared/feedback.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { collect, helper, loadFlow, nextMessage } from './support/helper.ts'

const MILL = 'acme/line-1/mill-1'

describe('feedback on anomalies', () => {
  let folder: string
  let out: Node
  let anomaly: Node
  let caught: Node
  let store: StoreNode['store']
  let clock = Date.now() - 3_600_000

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-feedback-'))
    helper.settings({ userDir: folder } as never)
  })
  afterEach(async () => {
    await helper.unload()
    helper.settings({})
    rmSync(folder, { recursive: true, force: true })
  })

  async function load(properties: Record<string, unknown> = {}): Promise<void> {
    const node = await loadFlow(
      [registerStore, registerAnomaly],
      [
        { id: 'f1', type: 'tab' },
        { id: 'b0', type: 'takt-store', file: 'takt.db' },
        {
          id: 'n0',
          z: 'f1',
          type: 'takt-anomaly',
          name: 'limits of mill-1',
          store: 'b0',
          method: 'limits',
          high: '10',
          clearAfter: '0',
          wires: [['d0'], []],
          ...properties,
        },
        { id: 'd0', z: 'f1', type: 'helper' },
        { id: 'c0', z: 'f1', type: 'catch', scope: ['n0'], wires: [['e0']] },
        { id: 'e0', z: 'f1', type: 'helper' },
      ],
    )
    anomaly = node('n0')
    out = node('d0')
    caught = node('e0')
    store = (node('b0') as unknown as StoreNode).store
  }

  const value = (number: number): void => {
    clock += 1000
    anomaly.receive({
      topic: `${MILL}/vibration`,
      payload: { kind: 'sample', equipment: MILL, signal: 'vibration', value: number, quality: 'good', time: clock, received: clock },
    } as never)
  }
  const told = async (act: () => void): Promise<Anomaly> => {
    const next = nextMessage(out)
    act()
    return (await next).payload as Anomaly
  }
  const raise = async (): Promise<Anomaly> => {
    value(1)
    return told(() => value(12))
  }
  const say = (message: Record<string, unknown>): void => anomaly.receive(message as never)
  const refusedWith = async (message: Record<string, unknown>): Promise<string> => {
    const next = nextMessage(caught)
    say(message)
    return ((await next).error as { message: string }).message
  }
  const eventsOf = async (id: string): Promise<LedgerEvent[]> => (await store.events(0, 1000)).filter(({ subject }) => subject === id)

  it('says who raised it, and keeps which units a detector watches', async () => {
    await load()
    const raised = await raise()
    assert.deepEqual([raised.detector, raised.detectorName], ['n0', 'limits of mill-1'])
    validateDocument(raised, 'anomaly', 'test')
    for (let tries = 0; (await readScopes(store)).length === 0 && tries < 30; tries++) await new Promise((resolve) => setTimeout(resolve, 100))
    const [scope] = await readScopes(store)
    assert.deepEqual([scope?.detector, scope?.name, scope?.method, scope?.equipment], ['n0', 'limits of mill-1', 'limits', [MILL]])
  })

  it('keeps what a person says with its event, and tells it as no new alarm', async () => {
    await load()
    const raised = await raise()
    const said = await told(() => say({ payload: { command: 'confirm', anomaly: raised.id, by: 'eva', why: 'bearing worn' } }))
    assert.deepEqual([said.id, said.state, said.since], [raised.id, 'raised', raised.since])
    assert.deepEqual([said.verdict?.decision, said.verdict?.by, said.verdict?.why], ['confirmed', 'eva', 'bearing worn'])
    const event = (await eventsOf(raised.id)).at(-1)
    assert.deepEqual([event!.type, event!.actor, event!.why], ['anomaly.confirmed', 'node:n0', 'confirmed by eva: bearing worn'])
    assert.equal((event!.before as Anomaly).verdict, undefined)
    // it clears afterwards, and the verdict stays
    const cleared = await told(() => value(1))
    assert.deepEqual([cleared.state, cleared.verdict?.decision, cleared.detector], ['cleared', 'confirmed', 'n0'])
  })

  it('takes a later word in place of an earlier one, also after the alarm has cleared; the same word again changes nothing', async () => {
    await load()
    const raised = await raise()
    await told(() => value(1))
    const first = await told(() => say({ topic: 'confirm', payload: raised.id }))
    assert.deepEqual([first.state, first.verdict?.decision, first.verdict?.by], ['cleared', 'confirmed', 'a person'])
    const heard = collect(out)
    say({ topic: 'confirm', payload: raised.id })
    const second = await told(() => say({ topic: 'refuse', payload: { anomaly: raised.id, by: 'jo', why: 'a fork lift' } }))
    assert.equal(second.verdict?.decision, 'refused')
    assert.equal(heard.length, 1)
    assert.deepEqual(
      (await eventsOf(raised.id)).map(({ type }) => type),
      ['anomaly.raised', 'anomaly.cleared', 'anomaly.confirmed', 'anomaly.refused'],
    )
    assert.equal((await store.get('anomaly', raised.id))?.verdict?.why, 'a fork lift')
  })

  it('knows alarms from before a restart', async () => {
    await load()
    const raised = await raise()
    await helper.unload()
    await load()
    const said = await told(() => say({ payload: { command: 'refuse', anomaly: raised.id } }))
    assert.deepEqual([said.id, said.verdict?.decision], [raised.id, 'refused'])
  })

  it('confirms by itself what a repair took away, and lets a person say otherwise', async () => {
    await load({ escalateAfter: '0' })
    const state = (name: string, mode: string): void => {
      clock += 1000
      const payload = { kind: 'machine-state', equipment: MILL, state: name, mode, since: clock, element: null, reason: null, jobOrder: null, time: clock }
      anomaly.receive({ topic: `${MILL}/machine-state`, payload } as never)
    }
    state('Execute', 'Produce')
    const raised = await raise()
    for (let n = 0; n < 12; n++) value(12)
    state('Execute', 'Maintenance')
    value(3)
    state('Execute', 'Produce')
    const cleared = await told(() => value(4))
    assert.deepEqual([cleared.state, cleared.evidence[0]?.source], ['cleared', 'repair'])
    await store.transaction(async () => {})
    for (let n = 0; n < 40; n++) {
      value(4)
      await new Promise((resolve) => setImmediate(resolve))
    }
    for (let tries = 0; (await store.get('anomaly', raised.id))?.verdict === undefined && tries < 50; tries++)
      await new Promise((resolve) => setTimeout(resolve, 20))
    const { verdict } = (await store.get('anomaly', raised.id))!
    assert.deepEqual([verdict?.decision, verdict?.by, verdict?.why], ['confirmed', 'return to service', 'after the repair vibration is 4, and was 12 before'])
    assert.equal((await told(() => say({ topic: 'refuse', payload: { anomaly: raised.id, by: 'eva' } }))).verdict?.decision, 'refused')
  })

  it('refuses nonsense with a code, and goes on', async () => {
    await load()
    assert.match(await refusedWith({ payload: { command: 'confirm', anomaly: 'an-none' } }), /TAKT_ANOMALY_UNKNOWN.*an-none/)
    assert.match(await refusedWith({ payload: { command: 'confirm' } }), /TAKT_MESSAGE_INVALID/)
    assert.match(await refusedWith({ topic: 'refuse', payload: null }), /TAKT_MESSAGE_INVALID/)
    assert.match(await refusedWith({ topic: 'refuse', payload: { anomaly: { id: 7 } } }), /TAKT_MESSAGE_INVALID/)
    assert.match(await refusedWith({ topic: 'confirm', payload: 'x'.repeat(201) }), /TAKT_MESSAGE_INVALID/)
    assert.equal((await raise()).state, 'raised')
  })

  it('serves the score of a node to its dialog', async () => {
    await new Promise<void>((resolve) => helper.startServer(() => resolve()))
    try {
      await load()
      const ask = async (path: string): Promise<{ status: number; body: any }> => helper.request().get(`/takt/anomaly/${path}`)
      assert.equal((await ask('n0/scorecard')).body.score, null)
      const raised = await raise()
      await told(() => value(1))
      await told(() => say({ topic: 'refuse', payload: raised.id }))
      const { status, body } = await ask('n0/scorecard?days=2')
      assert.equal(status, 200)
      assert.deepEqual(Object.keys(body), ['from', 'to', 'horizonMs', 'score'])
      assert.equal(body.horizonMs, 8 * 3_600_000)
      const { detector, name, alarms, refused, precision, recall } = body.score
      assert.deepEqual([detector, name, alarms, refused, precision, recall], ['n0', 'limits of mill-1', 1, 1, 0, null])
      for (const wrong of ['n0/scorecard?days=-1', 'n0/scorecard?days=abc', 'nobody/scorecard']) {
        const refused = await ask(wrong)
        assert.deepEqual([refused.status, refused.body.code], [400, 'TAKT_CONFIG_INVALID'])
        assert.ok(refused.body.what.length > 10 && refused.body.todo.length > 10)
      }
    } finally {
      await helper.unload()
      await new Promise<void>((resolve) => helper.stopServer(() => resolve()))
    }
  })

  it('needs a store', async () => {
    await load({ store: '' })
    const raised = await raise()
    assert.match(await refusedWith({ payload: { command: 'confirm', anomaly: raised.id } }), /TAKT_ANOMALY_NOT_KEPT.*choose a store/)
  })

  it('leaves values and documents alone', () => {
    assert.equal(readFeedback({ topic: 'confirm', payload: 7 }, 'test'), undefined)
    assert.equal(readFeedback({ topic: 'confirm', payload: { value: 7 } }, 'test'), undefined)
    assert.equal(readFeedback({ topic: 'mill/confirm', payload: 'on' }, 'test'), undefined)
    assert.equal(readFeedback({ topic: 'x', payload: { command: 'retrain' } }, 'test'), undefined)
    assert.equal(readFeedback({ topic: 'constructor', payload: 'an-1' }, 'test'), undefined)
    assert.throws(() => readFeedback({ payload: JSON.parse('{"command":"confirm","anomaly":"an-1","__proto__":{}}') }, 'test'), {
      code: 'TAKT_MESSAGE_FORBIDDEN_KEY',
    })
    assert.deepEqual(readFeedback({ payload: { command: 'refuse', anomaly: ' an-1 ', by: 7, why: ' ' } }, 'test'), {
      anomaly: 'an-1',
      decision: 'refused',
      by: 'a person',
      why: undefined,
    })
  })
})
