import assert from 'node:assert/strict'
import { TaktError } from '../../../../core/base/error.ts'
import { lookAhead } from '../../../../core/schedule/lookahead/look-ahead.ts'
import { LookaheadClient } from '../../../../core/schedule/lookahead/lookahead-client.ts'
import { byChance, exactly, input, operation, unit } from './beliefs.ts'

const hasCode = (code: string) => (error: unknown) => error instanceof TaktError && error.code === code

const units = [unit({ lifetime: byChance(300), repair: exactly(20, 0.5), ratio: exactly(1, 0.3) })]
const given = input({ units, orders: [{ id: 'o', due: 110, weight: 1 }] })
const endless = { runs: 1e9, seed: 1, budgetMs: 3_600_000 }

describe('the lookahead client', () => {
  let client: LookaheadClient
  beforeEach(() => {
    client = new LookaheadClient()
  })
  afterEach(() => client.close())

  it('gives from its thread what the lookahead gives here', async () => {
    const { lookahead, tookMs } = await client.look(given, { runs: 200, seed: 4, budgetMs: 60_000 })
    assert.deepEqual(lookahead, lookAhead(given, { runs: 200, seed: 4 }))
    assert.ok(tookMs > 0)
  })

  it('keeps to its budget', async () => {
    const many = input({ units, operations: Array.from({ length: 200 }, (_, index) => operation({ start: index * 100 })) })
    const { lookahead, tookMs } = await client.look(many, { ...endless, budgetMs: 50 })
    assert.ok(lookahead.runs >= 20 && tookMs < 1000, `${lookahead.runs} runs in ${tookMs} ms`)
  })

  it('a newer plan cancels the older one, which frees the thread at once', async () => {
    const canceled = assert.rejects(client.look(given, endless), hasCode('TAKT_SCHEDULE_CANCELED'))
    const { lookahead } = await client.look(given, { runs: 50, seed: 1, budgetMs: 1000 })
    await canceled
    assert.equal(lookahead.runs, 50)
  })

  it('says what is wrong with bad input, and goes on', async () => {
    await assert.rejects(client.look(input({ operations: [operation({ unit: 9 })] }), endless), hasCode('TAKT_SCHEDULE_INVALID'))
    assert.equal((await client.look(given, { runs: 20, seed: 1, budgetMs: 1000 })).lookahead.runs, 20)
  })
})
