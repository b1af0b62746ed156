// What the scheduler answers to a what-if, or why it refuses one, for the person who asked.
export default function whatIfShown({ msg, flow }) {
  const base = { timeZone: flow.get('timeZone') || 'UTC', now: flow.get('now') || 0 }
  // Dashboard shows it only where it was asked
  const only = msg._client ? { _client: msg._client } : {}
  if (msg.error) {
    if (msg.topic !== 'what-if' && msg.topic !== 'adopt') return null
    const refused = String(msg.error.message).replace(/^(?:\w+: )?TAKT_\w+: /, '')
    return Object.assign({ payload: Object.assign({ refused }, base) }, only)
  }
  if (msg.payload?.kind !== 'what-if') return null
  return Object.assign({ payload: Object.assign({ answer: msg.payload }, base) }, only)
}
