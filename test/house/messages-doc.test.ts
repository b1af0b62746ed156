import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { DOCUMENTS, type Kind } from '../../core/messages/document.ts'
import { validateDocument } from '../../core/messages/validate.ts'
import { MESSAGES_DOC, messagesDoc } from '../../scripts/docs-messages.ts'
import { MESSAGE_EXAMPLES } from '../../scripts/message-examples.ts'

describe('docs/messages.md', () => {
  it('is what the definitions say (node scripts/docs-messages.ts writes it)', () => {
    assert.equal(readFileSync(MESSAGES_DOC, 'utf8'), messagesDoc())
  })

  for (const kind of Object.keys(DOCUMENTS) as Kind[]) {
    it(`explains ${kind} with an example that is one`, () => {
      assert.deepEqual(validateDocument(MESSAGE_EXAMPLES[kind], kind, 'example'), MESSAGE_EXAMPLES[kind])
      assert.match(messagesDoc(), new RegExp(`\\| \\[${kind}\\]\\(#${kind}\\) +\\| \\w.{10,}\\|`), 'the definition has a comment that says what it is')
    })
  }
})
