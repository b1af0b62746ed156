import assert from 'node:assert/strict'
import type { Node, NodeAPI } from 'node-red'
import { TaktError } from '../../core/base/error.ts'
import { defineNode, type Handlers } from '../../nodes/shared/define-node.ts'
import { helper, loadFlow, nextMessage } from './support/helper.ts'

/** What every node stands on: whatever a handler does, the process lives, `done` is called once, and the error that `catch` gets is coded. */
describe('defineNode', () => {
  afterEach(() => helper.unload())

  async function load(create: (node: Node) => Handlers): Promise<{ node: Node; caught: Node; out: Node }> {
    const register = (RED: NodeAPI): void => defineNode(RED, { type: 'takt-probe', create })
    const nodes = await loadFlow(
      [register],
      [
        { id: 't', type: 'tab' },
        { id: 'n', type: 'takt-probe', z: 't', name: 'probe', wires: [['out']] },
        { id: 'out', type: 'helper', z: 't' },
        { id: 'c', type: 'catch', z: 't', scope: null, wires: [['caught']] },
        { id: 'caught', type: 'helper', z: 't' },
      ],
    )
    return { node: nodes('n'), caught: nodes('caught'), out: nodes('out') }
  }

  const failing: Array<[string, Handlers]> = [
    [
      'throws',
      {
        input: () => {
          throw new TaktError('TAKT_MESSAGE_INVALID', { where: 'probe' })
        },
      },
    ],
    [
      'rejects',
      {
        input: async () => {
          throw new TaktError('TAKT_MESSAGE_INVALID', { where: 'probe' })
        },
      },
    ],
  ]
  for (const [how, handlers] of failing) {
    it(`gives catch a coded error when a handler ${how}`, async () => {
      const { node, caught } = await load(() => handlers)
      const error = nextMessage(caught)
      node.receive({ payload: 1 })
      assert.match(JSON.stringify((await error).error), /TAKT_MESSAGE_INVALID/)
    })
  }

  it('codes what is no error of ours', async () => {
    const { node, caught } = await load(() => ({
      input: async () => {
        throw new RangeError('boom')
      },
    }))
    const error = nextMessage(caught)
    node.receive({ payload: 1 })
    assert.match(JSON.stringify((await error).error), /TAKT_INTERNAL.*boom/)
  })

  it('stays in the flow when it cannot be built, and tells every message why', async () => {
    const { node, caught } = await load(() => {
      throw new TaktError('TAKT_CONFIG_INVALID', { what: 'no plant is chosen', where: 'probe' })
    })
    const error = nextMessage(caught)
    node.receive({ payload: 1 })
    assert.match(JSON.stringify((await error).error), /no plant is chosen/)
  })

  it('passes messages on in order, handlers being synchronous or not', async () => {
    const { node, out } = await load(() => ({
      input: (message, send) => (message.payload === 'slow' ? new Promise<void>((resolve) => setTimeout(resolve, 5)).then(() => send(message)) : send(message)),
    }))
    const slow = nextMessage(out, (message) => message.payload === 'slow')
    const fast = nextMessage(out, (message) => message.payload === 'fast')
    node.receive({ payload: 'slow' })
    node.receive({ payload: 'fast' })
    assert.equal((await fast).payload, 'fast')
    assert.equal((await slow).payload, 'slow')
  })

  it('waits for what a node does when it closes', async () => {
    let closed = false
    await load(() => ({
      close: async () => {
        await new Promise((resolve) => setTimeout(resolve, 20))
        closed = true
      },
    }))
    await helper.unload()
    assert.ok(closed)
  })
})
