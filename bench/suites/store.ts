import { storeRates } from '../measure/store-rate.ts'
import type { Row } from '../support/table.ts'

/** What guaranteed delivery rests on. */
export async function run(): Promise<readonly Row[]> {
  const { inboxOneByOne, inbox20, inbox1000, replay, effects } = await storeRates()
  return [
    { what: 'inbox, one message after the other (a flush each)', figure: inboxOneByOne, unit: 'messages/s' },
    { what: 'inbox, 20 messages under way', figure: inbox20, unit: 'messages/s', target: { atLeast: 5000 } },
    { what: 'inbox, 1,000 messages under way', figure: inbox1000, unit: 'messages/s', target: { atLeast: 20_000 } },
    { what: 'replay, read from the inbox', figure: replay, unit: 'messages/s' },
    { what: 'keyed effects with a ledger event, 64 under way', figure: effects, unit: 'transactions/s' },
  ]
}
