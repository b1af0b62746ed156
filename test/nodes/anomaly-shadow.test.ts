import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node } from 'node-red'
import type { Sample } from '../../core/messages/sample.ts'
import registerAnomaly from '../../nodes/anomaly/anomaly.ts'
import { collect, helper, loadFlow, nextMessage } from './support/helper.ts'

const UNIT = 'acme/mill-1'

interface Scored {
  readonly raised: boolean
  readonly shadow?: { readonly score: number; readonly raised: boolean }
}

describe('anomaly node with a challenger', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-shadow-'))
    helper.settings({ userDir: folder } as never)
  })
  afterEach(async () => {
    await helper.unload()
    helper.settings({})
    rmSync(folder, { recursive: true, force: true })
  })

  async function load(properties: Record<string, unknown>): Promise<{ anomaly: Node; alarms: { payload?: any }[]; out: Node; scored: Node }> {
    const node = await loadFlow(
      [registerAnomaly],
      [
        { id: 'f1', type: 'tab' },
        { id: 'n0', z: 'f1', type: 'takt-anomaly', method: 'limits', high: '10', clearAfter: '0', ...properties, wires: [['d0'], ['d1']] },
        { id: 'd0', z: 'f1', type: 'helper' },
        { id: 'd1', z: 'f1', type: 'helper' },
      ],
    )
    return { anomaly: node('n0'), alarms: collect(node('d0')), out: node('d0'), scored: node('d1') }
  }

  let time = Date.now()
  const judged = async ({ anomaly, scored }: { anomaly: Node; scored: Node }, value: number): Promise<Scored> => {
    time += 1000
    const payload: Sample = { kind: 'sample', equipment: UNIT, signal: 'load', value, quality: 'good', time, received: time }
    const next = nextMessage(scored)
    anomaly.receive({ payload } as never)
    return (await next).anomaly as Scored
  }

  it('says beside each value what the challenger says, and sends nothing for it', async () => {
    const made = await load({ challenger: JSON.stringify({ high: '5' }) })
    assert.deepEqual((await judged(made, 1)).shadow, { score: 0, raised: false })
    const between = await judged(made, 7)
    assert.deepEqual([between.raised, between.shadow?.raised], [false, true])
    assert.equal(made.alarms.length, 0)
    const raised = nextMessage(made.out)
    const both = await judged(made, 12)
    await raised
    assert.deepEqual([both.raised, both.shadow?.raised], [true, true])
    assert.deepEqual(
      made.alarms.map(({ payload }) => payload.state),
      ['raised'],
    )
  })

  it('has none by default, and none where it is the same as the one that runs', async () => {
    assert.equal((await judged(await load({}), 7)).shadow, undefined)
    await helper.unload()
    assert.equal((await judged(await load({ challenger: '{"high":10}' }), 7)).shadow, undefined)
  })

  it('goes on without one that cannot be read, and says so', async () => {
    for (const challenger of ['{"high":', '[1]', '{"method":"guess"}', '{"method":"rate"}']) {
      const made = await load({ challenger })
      const found = await judged(made, 12)
      assert.deepEqual([found.raised, found.shadow], [true, undefined])
      const { error } = made.anomaly as unknown as { error: { firstCall: { args: [{ code: string; where: string }] } } }
      const [{ code, where }] = error.firstCall.args
      assert.deepEqual([code, /detector in shadow/.test(where)], ['TAKT_CONFIG_INVALID', true])
      await helper.unload()
    }
  })

  it('keeps its memory beside that of the node, lets it take over, and leaves nothing of it', async () => {
    const challenger = { method: 'auto', warmup: '30' }
    const made = await load({ challenger: JSON.stringify(challenger) })
    for (let at = 0; at < 40; at++) await judged(made, 2 + 0.1 * Math.sin(at * 1.7))
    await helper.unload()
    assert.ok(existsSync(join(folder, 'takt', 'anomaly-n0-shadow')))
    const again = await load({ challenger: JSON.stringify(challenger) })
    // it had learned enough to judge by
    assert.ok(((await judged(again, 2.3)).shadow?.score ?? 0) > 0.01)
    await helper.unload()

    const over = await load({ ...challenger, challenger: '' })
    const first = (await judged(over, 2)) as Scored & { expected: number | null }
    assert.deepEqual([first.shadow, first.expected !== null], [undefined, true])
    assert.deepEqual(
      readdirSync(join(folder, 'takt')).filter((name) => name.includes('shadow')),
      [],
    )
  })
})
