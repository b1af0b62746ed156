import assert from 'node:assert/strict'
import type { Gap } from '../../../core/messages/gap.ts'
import { checkPlant } from '../../../core/plant/check-plant.ts'
import { eventText } from '../../../core/report/event-text.ts'
import type { LedgerEvent } from '../../../core/store/store.ts'
import { MODEL, START } from './support/world.ts'

describe('events as sentences', () => {
  const plant = checkPlant(MODEL, 'test')
  const text = (type: string, subject: string, after: unknown, why: string | null = null) =>
    eventText({ sequence: 1, type, subject, actor: 'node:n', why, before: null, after, time: START, hash: '' } satisfies LedgerEvent, plant)
  const gap: Gap = {
    kind: 'gap',
    source: 'line-1-mqtt/n1',
    signals: ['a', 'b', 'c', 'd'],
    from: START,
    to: START + 60_000,
    code: 'TAKT_OPCUA_LOST',
    why: 'the link was cut',
  }

  it('tell where values are missing, for how long and why', () => {
    assert.deepEqual(text('source.gap', gap.source, gap), {
      text: 'a, b, c and 1 more: values missing from 25 Nov, 06:00 to 25 Nov, 06:01: the link was cut',
      tone: 'warning',
    })
    const { signals: _, ...whole } = gap
    assert.deepEqual(text('source.gap', gap.source, { ...whole, backfilled: true }), {
      text: 'line-1-mqtt/n1: values came later from 25 Nov, 06:00 to 25 Nov, 06:01: the link was cut',
      tone: 'info',
    })
  })

  it('tell of a disk that fills up, and of messages that were given up', () => {
    assert.deepEqual(text('store.disk', 'disk', { level: 'refuse' }, 'new orders are refused: 0.4 GiB of the disk are free'), {
      text: 'Disk: new orders are refused: 0.4 GiB of the disk are free',
      tone: 'warning',
    })
    assert.equal(text('inbox.given-up', 'old/sensor', {}, '3 messages were kept')?.text, 'Messages of old/sensor given up: 3 messages were kept')
    assert.equal(text('outbox.given-up', 'uns, acme/x', {}, 'refused 10 times')?.tone, 'bad')
  })

  it('leave out what is too small to tell', () => {
    assert.equal(text('count.recorded', 'x', {}), undefined)
  })
})
