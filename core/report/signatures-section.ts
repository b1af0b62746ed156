import type { SignatureCheck } from '../sign/check-signature.ts'
import type { Row, TableSection } from './content.ts'

/** What a state of a signature means to a reader. */
const STATES = { signed: 'valid', changed: 'changed since', broken: 'INVALID' } as const

/**
 * Signatures with what 21 CFR 11.50 asks to be shown wherever the record is: printed name, date and time, and what the signature means. Each is checked when the report
 * is made, and one that is not valid is shown as such, not left out.
 */
export function signaturesSection(checks: readonly SignatureCheck[]): TableSection {
  const rows = checks.map(
    ({ signature, state, what }): Row => ({
      record: `${signature.record.kind} ${signature.record.id}`,
      revision: signature.record.revision,
      meaning: signature.meaning,
      name: signature.name,
      person: signature.person,
      at: signature.at,
      time: signature.time,
      comment: signature.comment,
      state: STATES[state],
      what,
      signedRow: signature.record.ledger,
      sha256: signature.record.sha256,
      ledger: signature.ledger ?? null,
      signature: signature.id,
    }),
  )
  return {
    kind: 'table',
    id: 'signatures',
    title: 'Signatures',
    columns: [
      { key: 'record', label: 'Record', type: 'text' },
      { key: 'revision', label: 'Revision', type: 'number' },
      { key: 'meaning', label: 'Meaning', type: 'text' },
      { key: 'name', label: 'Name', type: 'text' },
      { key: 'person', label: 'Person', type: 'id' },
      { key: 'at', label: 'Signed at', type: 'text' },
      { key: 'time', label: 'Time', type: 'moment', dataOnly: true },
      { key: 'comment', label: 'Comment', type: 'text' },
      { key: 'state', label: 'State', type: 'state' },
      { key: 'what', label: 'Check', type: 'text', dataOnly: true },
      { key: 'signedRow', label: 'Signed row', type: 'number', dataOnly: true },
      { key: 'sha256', label: 'SHA-256 of the record', type: 'id', dataOnly: true },
      { key: 'ledger', label: 'Ledger', type: 'number' },
      { key: 'signature', label: 'Signature', type: 'id', dataOnly: true },
    ],
    rows,
    empty: 'Nobody has signed it.',
  }
}
