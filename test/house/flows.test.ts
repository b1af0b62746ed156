import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { packageRoot } from '../../core/base/package-root.ts'
import { parsePlant } from '../../core/plant/load-plant.ts'
import type { FlowNode } from '../../flows/closed-loop/builder.ts'
import { closedLoop } from '../../flows/closed-loop/closed-loop.ts'
import { sampleOverview } from '../editor/support/overview-sample.ts'

/** The reference flow, as a reader of it would check it. */

const flow = closedLoop()
const byId = new Map(flow.map((node) => [node.id, node]))
const placed = flow.filter((node) => node.z !== undefined && node.type !== 'group')
const list = (value: unknown): string[] => (Array.isArray(value) ? value.flat() : []) as string[]
const called = (node: FlowNode): string => `${node.type} '${String(node.name ?? '')}'`

describe('the reference flow', () => {
  for (const file of ['flows/closed-loop.json', 'examples/closed-loop.json']) {
    it(`${file} is what its parts make (node scripts/build-flows.ts writes it)`, () => {
      assert.ok(readFileSync(join(packageRoot, file), 'utf8') === `${JSON.stringify(flow, null, 2)}\n`, `${file} is not current`)
    })
  }

  it('has each id once, in hex', () => {
    assert.equal(byId.size, flow.length)
    for (const { id } of flow) assert.match(id, /^[0-9a-f]{16}$/)
  })

  it('wires lead to nodes of the same tab, links to link nodes that know of it', () => {
    for (const node of placed) {
      for (const id of list(node.wires)) assert.equal(byId.get(id)?.z, node.z, `${called(node)} is wired to nothing`)
      for (const id of list(node.links)) assert.ok(list(byId.get(id)?.links).includes(node.id), `${called(node)} links one way only`)
      if (node.type.startsWith('link ')) assert.ok(list(node.links).length > 0, `${called(node)} links to nothing`)
    }
  })

  it('names only config nodes that are there', () => {
    const fields = ['plant', 'store', 'broker', 'endpoint', 'group', 'page', 'ui', 'theme']
    for (const node of flow)
      for (const field of fields) {
        const value = node[field]
        if (typeof value === 'string' && value !== '') assert.ok(byId.has(value), `${called(node)}: ${field}`)
      }
  })

  it('has every node in a group that holds it, and none on top of another', () => {
    for (const node of placed) {
      const group = byId.get(String(node.g))
      assert.ok(group !== undefined && list(group.nodes).includes(node.id), called(node))
      const [x, y, left, top] = [node.x, node.y, group.x, group.y].map(Number) as [number, number, number, number]
      assert.ok(x > left && x < left + Number(group.w) && y > top && y < top + Number(group.h), `${called(node)} lies outside of its group`)
      const onTop = placed.find((other) => other !== node && other.z === node.z && Math.abs(Number(other.x) - x) < 40 && Math.abs(Number(other.y) - y) < 30)
      assert.equal(onTop, undefined, `${called(node)} lies on ${onTop && called(onTop)}`)
    }
    const groups = flow.filter((node) => node.type === 'group')
    for (const a of groups)
      for (const b of groups) {
        if (a === b || a.z !== b.z) continue
        const apart = (from: 'x' | 'y', size: 'w' | 'h'): boolean =>
          Number(a[from]) + Number(a[size]) <= Number(b[from]) || Number(b[from]) + Number(b[size]) <= Number(a[from])
        assert.ok(apart('x', 'w') || apart('y', 'h'), `groups '${String(a.name)}' and '${String(b.name)}' overlap`)
      }
  })

  it('explains itself: each tab says what it is, each group has a title', () => {
    for (const node of flow) {
      if (node.type === 'tab') assert.ok(String(node.info).length > 40, String(node.label))
      if (node.type === 'group') assert.ok(String(node.name).length > 5)
    }
  })

  it('holds no address but of this machine, and no password', () => {
    const addresses = JSON.stringify(flow).match(/\b(?:https?|wss?|mqtts?|opc\.tcp):\/\/[^\s"'\\/]+/g) ?? []
    assert.deepEqual(
      addresses.filter((address) => !/\/\/(127\.0\.0\.1|localhost)(:|$)/.test(address)),
      [],
    )
    assert.ok(flow.every((node) => !('credentials' in node)))
  })
})

interface Sandbox {
  readonly msg: unknown
  readonly context: Map<string, unknown>
  readonly flow: Map<string, unknown>
}
type FlowFunction = (sandbox: Sandbox) => ReadonlyArray<{ payload: Record<string, any> }> | { payload: Record<string, any> } | null

async function functionOf(name: string): Promise<FlowFunction> {
  const file = join(packageRoot, 'flows/closed-loop/functions', `${name}.js`)
  return ((await import(pathToFileURL(file).href)) as { default: FlowFunction }).default
}

describe('the functions of the reference flow', () => {
  const now = Date.UTC(2026, 10, 23, 9, 12)

  it('stand in the flow as they are tested here', () => {
    for (const name of readdirSync(join(packageRoot, 'flows/closed-loop/functions')).map((file) => file.replace(/\.js$/, ''))) {
      const text = readFileSync(join(packageRoot, 'flows/closed-loop/functions', `${name}.js`), 'utf8')
      const flat = (code: string): string => code.replace(/\s+/g, ' ').trim()
      const body = flat(text.slice(text.indexOf(') {\n', text.indexOf('export default')) + 3, text.lastIndexOf('}')))
      assert.ok(
        flow.some((node) => node.type === 'function' && flat(String(node.func)) === body),
        name,
      )
    }
  })

  it('cut one overview into what each panel draws', async () => {
    const panels = await functionOf('panels')
    const sandbox = {
      msg: { payload: { kind: 'report', type: 'overview', content: sampleOverview(now) } },
      context: new Map(),
      flow: new Map<string, unknown>([['autonomy', 'approve']]),
    }
    const sent = panels(sandbox) as ReadonlyArray<{ payload: Record<string, any> }>
    const outputs = flow.find((node) => node.type === 'function' && node.name === 'cut into panels')
    assert.equal(sent.length, Number(outputs?.outputs))
    for (const { payload } of sent) assert.deepEqual([payload.now, payload.timeZone], [now, 'Europe/Berlin'])
    assert.equal(sent[0]?.payload.autonomy, 'approve')
    assert.equal(panels({ ...sandbox, msg: { payload: 'something else' } }), null)
  })

  it('remember what a plan moved for a disruption when later plans no longer say so', async () => {
    const panels = await functionOf('panels')
    const context = new Map()
    const stories = (overview: unknown): any[] => (panels({ msg: { payload: overview }, context, flow: new Map() }) as any[])[3].payload.stories
    const first = sampleOverview(now)
    const before = stories(first)
    const later = stories({ ...first, plan: { ...first.plan, version: 33, changes: [] } })
    const told = before.find((story) => story.id === 'dis-77').steps.map((step: { text: string }) => step.text)
    assert.ok(told.some((text: string) => /^\d+ jobs moved to mill-/.test(text)))
    assert.deepEqual(
      later.find((story) => story.id === 'dis-77').steps.map((step: { text: string }) => step.text),
      told,
    )
    // a disruption that is gone is forgotten
    stories({ ...first, disruptions: [], plan: { ...first.plan, version: 34 } })
    assert.deepEqual(Object.keys(context.get('moves')), ['version'])
  })

  it('show a what-if, or why it was refused, only to who asked', async () => {
    const shown = await functionOf('what-if-shown')
    const run = (msg: unknown): any => shown({ msg, context: new Map(), flow: new Map<string, unknown>([['timeZone', 'Europe/Berlin']]) })
    const client = { socketId: 's1' }
    const answer = { kind: 'what-if', id: 'wi-1' }
    assert.deepEqual(run({ topic: 'plan/what-if', payload: answer, _client: client }), {
      payload: { answer, timeZone: 'Europe/Berlin', now: 0 },
      _client: client,
    })
    const error = { message: 'TaktError: TAKT_WHAT_IF_TIME: until 06:00 lies in the past (what-if). To do: write a later time.' }
    assert.equal(run({ topic: 'what-if', error, _client: client }).payload.refused, 'until 06:00 lies in the past (what-if). To do: write a later time.')
    // other errors and answers of the scheduler are not its business
    assert.equal(run({ error }), null)
    assert.equal(run({ topic: 'plan/problems', payload: [] }), null)
  })

  it('keep a bounded past of each signal, send what is new once, and the whole to who asks', async () => {
    const trend = await functionOf('trend')
    const context = new Map()
    const run = (msg: unknown): any => trend({ msg, context, flow: new Map([['timeZone', 'UTC']]) })
    const topic = 'acme/line/mill-2/vibration'
    for (let index = 0; index < 300; index++) run({ topic, payload: { kind: 'sample', value: index, unit: 'mm/s', time: now + index * 1000 } })
    assert.equal(run({ topic: 'tick' }).payload.points[topic].length, 240)
    assert.equal(run({ topic: 'tick' }), null)
    run({ topic, payload: { kind: 'sample', value: 1, time: now + 400_000 } })
    assert.equal(run({ topic: 'tick' }).payload.points[topic].length, 1)
    const { payload } = run({ topic: 'history', payload: topic })
    assert.equal(payload.points[topic].length, 240)
    assert.equal(payload.signals[0].name, 'mill-2 vibration')
    assert.equal(run({ topic: 'history', payload: 'unknown' }), null)
    assert.equal(run({ topic, payload: { kind: 'sample', value: 'text', time: now } }), null)
  })

  it('ask the historian once for what was before a restart, and put it in front', async () => {
    const trend = await functionOf('trend')
    const context = new Map()
    const run = (msg: unknown): any => trend({ msg, context, flow: new Map() })
    const [equipment, signal] = ['acme/line/mill-2', 'vibration']
    const topic = `${equipment}/${signal}`
    for (let index = 0; index < 3; index++) run({ topic, payload: { kind: 'sample', value: index, time: now + index * 1000 } })
    const [answer, question] = run({ topic: 'history', payload: topic })
    assert.equal(answer.payload.points[topic].length, 3)
    assert.deepEqual([question.topic, question.payload.signal, question.payload.to, question.payload.limit], ['past', topic, now - 1, 237])
    assert.ok(!Array.isArray(run({ topic: 'history', payload: topic })))
    const points = [...Array.from({ length: 300 }, (_, n) => [now - (300 - n) * 1000, n]), [now + 500, 9], [now - 500, 'text']]
    const { payload } = run({
      topic: 'past',
      payload: [
        { equipment, signal, points },
        { equipment, signal: 'unknown', points },
      ],
    })
    const times = payload.points[topic].map(([time]: [number]) => time)
    assert.deepEqual([times.length, times[0], times[236], times[237]], [240, now - 237_000, now - 1000, now])
    assert.deepEqual(payload.points[topic][0], [now - 237_000, 63, null, null, null, 0])
    run({ topic: 'tick' })
    run({ topic, payload: { kind: 'sample', value: 5, time: now + 9000 } })
    assert.equal(run({ topic: 'tick' }).payload.points[topic].length, 1)
  })
})

describe('the tutorial', () => {
  it('shows a plant model that is right as it stands', () => {
    const text = readFileSync(join(packageRoot, 'docs/tutorial.md'), 'utf8')
    const model = /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? ''
    const plant = parsePlant(model, 'docs/tutorial.md')
    assert.equal(plant.units.length, 1)
    assert.equal(plant.unitsFor(plant.operation('bracket', '10-press')!).length, 1)
  })
})
