import assert from 'node:assert/strict'
import { ManualClock } from '../../../core/base/clock.ts'
import { TaktError } from '../../../core/base/error.ts'
import { type Answer, CommandGate, type CommandGateSetting } from '../../../core/connect/command-gate.ts'
import type { Command, Receipt } from '../../../core/messages/command.ts'
import { validateDocument } from '../../../core/messages/validate.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'

const NOW = Date.UTC(2026, 0, 5, 8)
const target = { connection: 'line', topic: 'mill/command' }
const plant = checkPlant(
  {
    plant: 'acme',
    equipment: [
      {
        id: 'acme/mill',
        level: 'workUnit',
        commands: [
          { name: 'start-job', target, interlock: 'state in Idle, Complete' },
          { name: 'stop', target },
          { name: 'odd', target, interlock: 'whatever' },
        ],
      },
    ],
  },
  'test',
)

function command(more: Partial<Command> = {}): Command {
  return { kind: 'command', id: 'cmd-1', to: 'acme/mill', name: 'stop', arguments: {}, ...more }
}

function gateWith(more: Partial<CommandGateSetting> = {}, remembered: readonly Receipt[] = []) {
  const clock = new ManualClock(NOW)
  const sent: Command[] = []
  const awaiting: Command[] = []
  const kept: Receipt[][] = []
  const gate = new CommandGate(
    {
      plant: () => plant,
      clock,
      autonomy: 'auto',
      allowed: [],
      where: 'a test',
      stateOf: async () => ({ state: 'Idle', mode: 'Produce', jobOrder: null }),
      send: async (each): Promise<Answer> => {
        sent.push(each)
        return { status: 'done' }
      },
      awaiting: (each) => void awaiting.push(each),
      keep: (receipts) => void kept.push([...receipts]),
      ...more,
    },
    remembered,
  )
  const give = async (each: Command): Promise<Receipt> => validateDocument(await gate.handle(each), 'receipt', 'test')
  return { gate, clock, sent, awaiting, kept, give }
}

const outcome = ({ status, code }: Receipt) => [status, code]

describe('CommandGate', () => {
  it('lets a command of the plant model pass, and gives the receipt', async () => {
    const { give, sent } = gateWith()
    assert.deepEqual(await give(command()), { kind: 'receipt', of: 'cmd-1', to: 'acme/mill', status: 'done', time: NOW })
    assert.equal(sent.length, 1)
  })

  const refused: ReadonlyArray<readonly [string, string, Partial<Command>, Partial<CommandGateSetting>]> = [
    ['unknown equipment', 'TAKT_EQUIPMENT_UNKNOWN', { to: 'acme/saw' }, {}],
    ['an unknown command', 'TAKT_COMMAND_UNKNOWN', { name: 'dance' }, {}],
    ['__proto__ as a command', 'TAKT_COMMAND_UNKNOWN', { name: '__proto__' }, {}],
    ['a command that is not in the list', 'TAKT_COMMAND_NOT_ALLOWED', {}, { allowed: ['start-job'] }],
    [
      'a command in the wrong state',
      'TAKT_COMMAND_INTERLOCK',
      { name: 'start-job' },
      { stateOf: async () => ({ state: 'Execute', mode: null, jobOrder: 'jo-1' }) },
    ],
    ['a command while the state is unknown', 'TAKT_COMMAND_INTERLOCK', { name: 'start-job' }, { stateOf: async () => undefined }],
    ['an interlock that nobody can read', 'TAKT_COMMAND_INTERLOCK_INVALID', { name: 'odd' }, {}],
    ['everything in shadow', 'TAKT_COMMAND_SHADOW', {}, { autonomy: 'shadow' }],
  ]
  for (const [what, code, given, setting] of refused) {
    it(`refuses ${what}, and sends nothing`, async () => {
      const { give, sent } = gateWith(setting)
      const receipt = await give(command(given))
      assert.deepEqual(outcome(receipt), ['refused', code])
      assert.ok(receipt.reason)
      assert.equal(sent.length, 0)
    })
  }

  it('does not send what came too late, by plant time', async () => {
    const { give, sent, clock } = gateWith()
    assert.equal((await give(command({ id: 'in time', expires: NOW }))).status, 'done')
    clock.advance(1)
    assert.deepEqual(outcome(await give(command({ id: 'late', expires: NOW }))), ['expired', 'TAKT_COMMAND_EXPIRED'])
    assert.equal(sent.length, 1)
  })

  it('answers a repeated id from memory, also after a restart', async () => {
    const { give, sent, kept } = gateWith()
    const first = await give(command())
    assert.deepEqual(await give(command()), first)
    assert.equal(sent.length, 1)
    const restarted = gateWith({}, kept.at(-1))
    assert.deepEqual(await restarted.give(command()), first)
    assert.equal(restarted.sent.length, 0)
  })

  it('sends once while the first of two is under way, and refuses the id for anything else', async () => {
    let answer: (given: Answer) => void = () => {}
    let count = 0
    const { gate } = gateWith({
      send: () => {
        count++
        return new Promise((resolve) => {
          answer = resolve
        })
      },
    })
    const both = [gate.handle(command()), gate.handle(command())]
    const other = await gate.handle(command({ name: 'start-job' }))
    assert.deepEqual(outcome(other), ['refused', 'TAKT_COMMAND_CONFLICT'])
    answer({ status: 'done' })
    assert.deepEqual((await Promise.all(both)).map(outcome), [
      ['done', undefined],
      ['done', undefined],
    ])
    assert.equal(count, 1)
  })

  it('gives what failed, and what the machine refused, another chance under its id', async () => {
    const answers: Answer[] = [{ status: 'refused', code: 'TAKT_COMMAND_REFUSED', reason: 'the door is open' }, { status: 'done' }]
    let attempt = 0
    const { give } = gateWith({
      send: async () => {
        attempt++
        if (attempt === 1) throw new TaktError('TAKT_COMMAND_UNANSWERED', { where: 'a test' })
        return answers[attempt - 2] as Answer
      },
    })
    assert.deepEqual(outcome(await give(command())), ['failed', 'TAKT_COMMAND_UNANSWERED'])
    assert.deepEqual(outcome(await give(command())), ['refused', 'TAKT_COMMAND_REFUSED'])
    assert.deepEqual(outcome(await give(command())), ['done', undefined])
    assert.deepEqual(outcome(await give(command())), ['done', undefined])
    assert.equal(attempt, 3)
  })

  describe('with a person', () => {
    it('waits, and sends what is accepted', async () => {
      const { gate, sent, awaiting } = gateWith({ autonomy: 'approve' })
      const receipt = gate.handle(command())
      await Promise.resolve()
      await new Promise((resolve) => setImmediate(resolve))
      assert.deepEqual([awaiting.length, sent.length, gate.waiting], [1, 0, ['cmd-1']])
      assert.equal(gate.decide('cmd-1', true), true)
      assert.equal((await receipt).status, 'done')
      assert.deepEqual([sent.length, gate.decide('cmd-1', true)], [1, false])
    })

    it('sends nothing that is refused', async () => {
      const { gate, sent } = gateWith({ autonomy: 'approve' })
      const receipt = gate.handle(command())
      await new Promise((resolve) => setImmediate(resolve))
      gate.decide('cmd-1', false, 'not now')
      assert.deepEqual(await receipt, {
        kind: 'receipt',
        of: 'cmd-1',
        to: 'acme/mill',
        status: 'refused',
        code: 'TAKT_COMMAND_DECLINED',
        reason: 'not now',
        time: NOW,
      })
      assert.equal(sent.length, 0)
    })

    it('asks the interlock again when the answer comes', async () => {
      let state = 'Idle'
      const { gate, sent } = gateWith({ autonomy: 'approve', stateOf: async () => ({ state, mode: null, jobOrder: null }) })
      const receipt = gate.handle(command({ name: 'start-job' }))
      await new Promise((resolve) => setImmediate(resolve))
      state = 'Aborted'
      gate.decide('cmd-1', true)
      assert.deepEqual(outcome(await receipt), ['refused', 'TAKT_COMMAND_INTERLOCK'])
      assert.equal(sent.length, 0)
    })

    it('lets the time run out, and lets nothing wait when it closes', async () => {
      const { gate, clock } = gateWith({ autonomy: 'approve' })
      const late = gate.handle(command({ expires: NOW + 1000 }))
      const open = gate.handle(command({ id: 'cmd-2' }))
      await new Promise((resolve) => setImmediate(resolve))
      clock.advance(2000)
      assert.equal((await late).status, 'expired')
      gate.close()
      assert.equal((await open).status, 'refused')
    })
  })
})
