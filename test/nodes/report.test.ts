import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { EventEmitter } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import type { TaktError } from '../../core/base/error.ts'
import { openStore } from '../../core/store/open-store.ts'
import type { Store } from '../../core/store/store.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import registerReport from '../../nodes/report/report.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import { story } from '../core/report/support/story.ts'
import { LINE, MODEL, START, World } from '../core/report/support/world.ts'
import { helper, loadFlow, nextMessage, type Received } from './support/helper.ts'

describe('report node', () => {
  let base: string
  let file: string
  /** When the story ends, plant time. */
  let end: number
  let folder: string
  let node: Node
  let out: Node
  let store: Store

  async function load(config: Record<string, unknown> = {}): Promise<void> {
    const get = await loadFlow(
      [registerPlant, registerStore, registerReport],
      [
        { id: 'f1', type: 'tab' },
        { id: 'p1', type: 'takt-plant', source: 'inline', model: JSON.stringify(MODEL), clock: `${end}@${Date.now()}x1` },
        { id: 's1', type: 'takt-store', file, plant: 'p1' },
        {
          id: 'n1',
          z: 'f1',
          type: 'takt-report',
          plant: 'p1',
          store: 's1',
          reportType: 'shift',
          subject: LINE,
          span: 'current-shift',
          format: 'html',
          output: 'file',
          folder,
          wires: [['out']],
          ...config,
        },
        { id: 'out', z: 'f1', type: 'helper' },
      ],
    )
    node = get('n1')
    out = get('out')
    store = (get('s1') as StoreNode).store
  }
  const ask = (payload: unknown, more: Record<string, unknown> = {}): Promise<Received> => {
    const answer = nextMessage(out)
    node.receive({ payload, ...more } as never)
    return answer
  }
  /** What `catch` hears, with the message that asked. */
  const refused = async (payload: unknown): Promise<TaktError> => {
    const failed = new Promise<[TaktError, Received]>((resolve) =>
      (node as unknown as EventEmitter).once('call:error', (call: { args: [TaktError, Received] }) => resolve(call.args)),
    )
    node.receive({ payload, res: 'kept' } as never)
    const [error, message] = await failed
    assert.equal(message.res, 'kept')
    return error
  }

  before(async () => {
    await new Promise<void>((done) => void helper.startServer(done))
    base = realpathSync(mkdtempSync(join(tmpdir(), 'takt-report-')))
    file = join(base, 'takt.db')
    const clock = new World().clock
    const world = await story(new World(openStore({ file, clock }), clock))
    end = world.clock.now()
    await world.close()
  })
  after((done) => {
    rmSync(base, { recursive: true })
    helper.stopServer(done)
  })
  beforeEach(() => {
    folder = mkdtempSync(join(base, 'reports-'))
  })
  afterEach(() => helper.unload())

  it('writes what it is set to when anything comes in, and records it', async () => {
    await load()
    const { payload, topic, ticket } = await ask(1_700_000_000_000, { ticket: 7, by: 'eva' })
    assert.equal(ticket, 7)
    assert.equal(topic, `reports/shift/${LINE}`)
    assert.deepEqual([payload.kind, payload.type, payload.subject, payload.format, payload.content], ['report', 'shift', LINE, 'html', undefined])
    assert.equal(payload.file, join(folder, 'shift-line-1-2025-11-25T0600.html'))
    const written = readFileSync(payload.file)
    assert.equal(createHash('sha256').update(written).digest('hex'), payload.sha256)
    assert.match(written.toString(), /^<!doctype html>[\s\S]*Shift report: early shift[\s\S]*by eva/)
    assert.deepEqual(readdirSync(folder), ['shift-line-1-2025-11-25T0600.html'], 'no draft is left')
    const event = (await store.events(payload.ledger.head, 10)).find(({ type }) => type === 'report.written')
    assert.deepEqual([event?.actor, (event?.after as { sha256: string } | undefined)?.sha256], ['eva', payload.sha256])
  })

  it('makes what the message asks for', async () => {
    await load({ output: 'message' })
    const csv = await ask({ type: 'work-order', subject: 'wo-1', format: 'csv' })
    assert.match(csv.payload.content, /^operation,jobOrder,.*\r\n/)
    assert.equal(csv.payload.file, null)
    const stops = await ask({ format: 'csv', table: 'stops' })
    assert.match(stops.payload.content, /spindle seized/)
    const json = await ask({ format: 'json', from: START, to: '2025-11-25T07:00:00+01:00' })
    assert.deepEqual([json.payload.content.from, json.payload.content.to], ['2025-11-25T06:00:00.000+01:00', '2025-11-25T07:00:00.000+01:00'])
    assert.equal(json.payload.content.units.length, 3)
    const last = await ask({ span: 'last-shift', format: 'json' })
    assert.match(last.payload.content.title, /late shift/)
    assert.equal((await store.events(0, 10_000)).filter(({ type }) => type === 'report.written').length, 1, 'a message is not a file')
  })

  it('reports on the work order that comes by', async () => {
    await load({ reportType: 'work-order', subject: '', output: 'message', format: 'json' })
    const { payload } = await ask(await store.get('work-order', 'wo-2'))
    assert.equal(payload.content.title, 'Work order wo-2')
    assert.equal((await ask('wo-1')).payload.subject, 'wo-1')
    assert.equal((await refused(Date.now())).code, 'TAKT_REPORT_REQUEST_INVALID')
    assert.equal((await refused('wo-9')).code, 'TAKT_REPORT_SUBJECT_UNKNOWN')
  })

  it('gives the overview as an object', async () => {
    await load({ reportType: 'overview', output: 'message' })
    const { payload, topic } = await ask(1)
    assert.equal(topic, 'reports/overview')
    assert.deepEqual([payload.format, payload.content.plant, payload.content.units.length], ['json', 'Acme Berlin', 3])
    assert.equal(createHash('sha256').update(JSON.stringify(payload.content)).digest('hex'), payload.sha256)
  })

  it('writes below its folder and nowhere else', async () => {
    await load()
    assert.equal((await ask({ file: 'line 1/today' })).payload.file, join(folder, 'line 1', 'today.html'))
    assert.equal((await ask({ file: 'line 1/today.HTML' })).payload.file, join(folder, 'line 1', 'today.HTML'))
    for (const name of ['../evil', 'a/../../evil', '/tmp/evil.html', 'C:\\evil', 'a\\..\\..\\evil', '..', 'nul\0.html', 'a//b', 'a/./b', 'a|b'])
      assert.equal((await refused({ file: name })).code, 'TAKT_REPORT_PATH_REFUSED', name)
    const outside = join(base, 'outside')
    mkdirSync(outside, { recursive: true })
    symlinkSync(outside, join(folder, 'link'))
    assert.equal((await refused({ file: 'link/evil' })).code, 'TAKT_REPORT_PATH_REFUSED')
    assert.equal((await refused({ file: 'link/deeper/evil' })).code, 'TAKT_REPORT_PATH_REFUSED')
    assert.deepEqual(readdirSync(outside), [])
  })

  it('replaces a report as a whole, and says when it cannot', async () => {
    await load()
    const target = join(folder, 'today.html')
    writeFileSync(target, 'old')
    await ask({ file: 'today' })
    assert.notEqual(readFileSync(target, 'utf8'), 'old')
    mkdirSync(join(folder, 'taken.html'))
    assert.equal((await refused({ file: 'taken' })).code, 'TAKT_REPORT_UNWRITABLE')
    assert.deepEqual(readdirSync(folder).sort(), ['taken.html', 'today.html'])
    assert.ok(existsSync(target))
  })

  it('refuses what cannot be made, and goes on', async () => {
    await load({ output: 'message' })
    for (const [payload, code] of [
      [{ type: 'poem' }, 'TAKT_REPORT_REQUEST_INVALID'],
      [{ format: 'pdf' }, 'TAKT_REPORT_REQUEST_INVALID'],
      [{ type: 'overview', format: 'html' }, 'TAKT_REPORT_REQUEST_INVALID'],
      [{ from: 'yesterday' }, 'TAKT_REPORT_REQUEST_INVALID'],
      [{ from: START + 1000, to: START }, 'TAKT_REPORT_REQUEST_INVALID'],
      [{ subject: 7 }, 'TAKT_REPORT_REQUEST_INVALID'],
      [{ subject: 'acme/paris' }, 'TAKT_REPORT_SUBJECT_UNKNOWN'],
      [{ format: 'csv', table: 'poems' }, 'TAKT_REPORT_TABLE_UNKNOWN'],
      [JSON.parse('{"subject":"x","constructor":1}'), 'TAKT_MESSAGE_FORBIDDEN_KEY'],
    ] as const)
      assert.equal((await refused(payload)).code, code, JSON.stringify(payload))
    assert.equal((await ask({ format: 'json' })).payload.content.units.length, 3)
  })
})
