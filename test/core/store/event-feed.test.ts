import assert from 'node:assert/strict'
import { EventFeed } from '../../../core/store/event-feed.ts'
import type { LedgerEvent } from '../../../core/store/store.ts'

const event = (sequence: number): LedgerEvent => ({
  sequence,
  type: 'part.made',
  subject: 's',
  actor: 'a',
  why: null,
  before: null,
  after: null,
  time: 0,
  hash: '',
})
const span = (from: number, to: number): LedgerEvent[] => Array.from({ length: to - from + 1 }, (_, at) => event(from + at))

describe('events of a ledger that several instances write', () => {
  let heard: number[]
  /** rows that were read: the first, and how many at most */
  let read: Array<readonly [number, number]>
  let ledger: number
  let isAway: boolean
  let feed: EventFeed

  beforeEach(() => {
    ;[heard, read, ledger, isAway] = [[], [], 10, false]
    feed = new EventFeed({
      async read(after, limit) {
        read.push([after + 1, limit])
        await new Promise(setImmediate)
        if (isAway) throw new Error('the store is away')
        return span(after + 1, Math.min(ledger, after + limit))
      },
      tell: ({ sequence }) => heard.push(sequence),
    })
    feed.start(10)
  })
  afterEach(() => feed.stop())

  it('tells its own at once where none of another came between', () => {
    assert.equal(feed.committed(span(11, 13)), undefined)
    assert.deepEqual([heard, read], [[11, 12, 13], []])
  })

  it('reads only what others wrote in between, and whoever committed waits for that and no longer', async () => {
    ledger = 30
    const first = feed.committed(span(14, 15))
    const second = feed.committed(span(20, 21))
    feed.news(30)
    await first
    assert.deepEqual(heard.slice(0, 5), [11, 12, 13, 14, 15])
    await second
    assert.deepEqual(read.slice(0, 2), [[11, 3], [16, 4]]) // biome-ignore format: one line
    while (heard.length < 20) await new Promise(setImmediate)
    assert.deepEqual(heard, span(11, 30).map(({ sequence }) => sequence)) // biome-ignore format: one line
  })

  it('tells once what was read before the commit was answered', async () => {
    ledger = 16
    feed.news(16)
    while (heard.length < 6) await new Promise(setImmediate)
    assert.equal(feed.committed(span(12, 16)), undefined)
    assert.deepEqual(heard, [11, 12, 13, 14, 15, 16])
  })

  it('keeps nobody waiting who committed while the others’ events cannot be read, and tells them later', async () => {
    ;[ledger, isAway] = [13, true]
    await feed.committed([event(13)])
    assert.deepEqual(heard, [])
    isAway = false
    feed.news(14)
    ledger = 14
    while (heard.length < 4) await new Promise(setImmediate)
    assert.deepEqual(heard, [11, 12, 13, 14])
  })

  it('keeps nobody waiting when it is stopped', async () => {
    const waiting = feed.committed([event(14)])
    feed.stop()
    await waiting
    assert.deepEqual(heard, [])
  })
})
