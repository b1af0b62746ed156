import assert from 'node:assert/strict'
import { systemClock } from '../../../core/base/clock.ts'
import { Intake, type IntakeMessage } from '../../../core/connect/intake.ts'
import type { MqttMessage } from '../../../core/connect/mqtt-connection.ts'
import { MqttIntake } from '../../../core/connect/mqtt-intake.ts'
import { type LostNumbers, SequenceWatch } from '../../../core/connect/sequence-watch.ts'
import { inboxOf } from '../../../core/store/inbox.ts'
import { openStore } from '../../../core/store/open-store.ts'
import type { Store } from '../../../core/store/store.ts'
import { until } from './support/wait.ts'

const source = 'line/sensor'
const message = (messageId: number, text: string, more: Partial<MqttMessage> = {}): MqttMessage => ({
  topic: 'mill/state',
  payload: Buffer.from(text),
  qos: 1,
  retain: false,
  dup: false,
  messageId,
  ...more,
})
const dup = (messageId: number, text: string): MqttMessage => message(messageId, text, { dup: true })
const carrying = (value: string): IntakeMessage[] => [
  { topic: 'acme/mill/state', payload: { kind: 'sample', equipment: 'acme/mill', signal: 'state', value, quality: 'good', time: 1, received: 1 } },
]

describe('repetitions of MQTT messages', () => {
  let store: Store
  let sent: string[]
  let intakes: Intake[]

  beforeEach(() => {
    store = openStore({ file: ':memory:', clock: systemClock })
    sent = []
    intakes = []
  })
  afterEach(async () => {
    for (const intake of intakes) await intake.stop()
    await store.close()
  })

  /** What a process has of it; another call is a process that was started anew. */
  function process(): (...messages: readonly MqttMessage[]) => Promise<void> {
    const intake = new Intake({
      inbox: inboxOf(store),
      source,
      send: (messages) => {
        for (const { payload, takt } of messages) if (takt?.replayed !== true && payload.kind === 'sample') sent.push(String(payload.value))
      },
    })
    intakes.push(intake)
    const mqtt = new MqttIntake({ intake, store, source })
    return async (...messages) => {
      await Promise.all(messages.map((each) => mqtt.take(each, carrying(each.payload.toString()), undefined)))
    }
  }

  it('are known when the same message comes again, in this process and in the next', async () => {
    const take = process()
    await take(message(1, 'Idle'), message(2, 'Execute'))
    await take(dup(1, 'Idle'), dup(2, 'Execute'))
    const takeAfterRestart = process()
    await takeAfterRestart(dup(1, 'Idle'), dup(2, 'Execute'))
    assert.deepEqual(sent, ['Idle', 'Execute'])
  })

  it('are not seen in a message whose first copy was lost, although its number and text were used before', async () => {
    const take = process()
    await take(message(1, 'Idle'), message(1, 'Execute'))
    // the first copy of this one never arrived
    await take(dup(1, 'Idle'))
    assert.deepEqual(sent, ['Idle', 'Execute', 'Idle'])
  })

  it('are not seen where another text has the number, after a restart', async () => {
    await process()(message(1, 'Idle'))
    await process()(dup(1, 'Held'))
    assert.deepEqual(sent, ['Idle', 'Held'])
  })

  it('are not seen in retained messages: what was true an hour ago may be true again', async () => {
    const take = process()
    await take(message(1, 'Idle', { retain: true }))
    await take(message(2, 'Execute'))
    await take(message(1, 'Idle', { retain: true }))
    assert.deepEqual(sent, ['Idle', 'Execute', 'Idle'])
  })

  it('do not let what comes after them overtake', async () => {
    await process()(message(1, 'a'))
    const take = process()
    await take(dup(1, 'a'), dup(2, 'b'), message(3, 'c'), message(4, 'd'))
    assert.deepEqual(sent, ['a', 'b', 'c', 'd'])
  })
})

describe('the numbers that senders give', () => {
  const watch = (patienceMs: number) => {
    const lost: LostNumbers[] = []
    return { lost, watch: new SequenceWatch((each) => lost.push(each), patienceMs) }
  }

  it('are missing when they do not come in time, with the times before and after', async () => {
    const { lost, watch: numbers } = watch(20)
    for (const [sequence, time] of [
      [1, 100],
      [2, 110],
      [6, 150],
      [4, 151],
      [7, 160],
    ] as const)
      numbers.take('run', sequence, time)
    await until(() => lost.length > 0, 'the gap')
    assert.deepEqual(lost, [{ session: 'run', from: 110, to: 150, lost: 2 }])
  })

  it('are missing at once where very many are, and at the end where it comes first', () => {
    const { lost, watch: numbers } = watch(60_000)
    numbers.take('a', 1, 1)
    numbers.take('a', 5000, 2)
    numbers.take('b', 1, 3)
    numbers.take('b', 3, 4)
    assert.deepEqual(lost, [{ session: 'a', from: 1, to: 2, lost: 4998 }])
    numbers.stop()
    assert.deepEqual(lost[1], { session: 'b', from: 3, to: 4, lost: 1 })
  })

  it('are not missing when they come late, repeated, or begin anew', async () => {
    const { lost, watch: numbers } = watch(20)
    for (const sequence of [10, 11, 13, 12, 12, 14, 0, 1, 2]) numbers.take('run', sequence, sequence)
    await new Promise((resolve) => setTimeout(resolve, 60))
    numbers.stop()
    assert.deepEqual(lost, [])
  })
})
