// Keeps the last 240 points of each watched signal, and once a second sends the trend panel those that are new.
// A point is [time, value, expected, lower, upper, raised 0 or 1]. After a restart the historian is asked, on the second output, for what was before.
export default function trend({ msg, context, flow }) {
  const LENGTH = 240
  const lines = context.get('lines') || {}

  if (msg.topic === 'history') {
    const line = lines[msg.payload]
    if (!line) return null
    const answer = { payload: { ...head(), points: { [msg.payload]: line.points } } }
    if (line.asked || line.points.length >= LENGTH) return answer
    line.asked = true
    const to = line.points[0][0] - 1
    return [answer, { topic: 'past', payload: { signal: msg.payload, from: to - 4 * 3600000, to, aggregate: 'none', limit: LENGTH - line.points.length } }]
  }
  if (msg.topic === 'past') {
    const points = {}
    for (const { equipment, signal, points: values } of msg.payload) {
      const topic = `${equipment}/${signal}`
      const line = lines[topic]
      if (!line) continue
      const older = values
        .filter(([time, value]) => typeof value === 'number' && time < line.points[0][0])
        .map(([time, value]) => [time, value, null, null, null, 0])
      older.splice(0, Math.max(0, older.length + line.points.length - LENGTH))
      line.points.unshift(...older)
      line.sent += older.length
      if (older.length > 0) points[topic] = line.points
    }
    return Object.keys(points).length > 0 ? { payload: { ...head(), points } } : null
  }
  if (msg.topic === 'tick') {
    const points = {}
    for (const [topic, line] of Object.entries(lines)) {
      if (line.sent < line.points.length) points[topic] = line.points.slice(line.sent)
      line.sent = line.points.length
    }
    if (Object.keys(points).length === 0) return null
    return { payload: { ...head(), points } }
  }

  const s = msg.payload
  if (!s || typeof s.value !== 'number') return null
  const band = msg.anomaly || {}
  const or = (value) => (typeof value === 'number' ? value : null)
  const line = (lines[msg.topic] ??= { name: msg.topic, unit: s.unit || '', points: [], sent: 0 })
  line.points.push([s.time, s.value, or(band.expected), or(band.lower), or(band.upper), band.raised ? 1 : 0])
  if (line.points.length > LENGTH) {
    const surplus = line.points.length - LENGTH
    line.points.splice(0, surplus)
    line.sent = Math.max(0, line.sent - surplus)
  }
  context.set('lines', lines)
  return null

  function head() {
    const signals = Object.entries(lines).map(([topic, line]) => {
      const last = line.points[line.points.length - 1]
      return { topic, name: topic.split('/').slice(-2).join(' '), unit: line.unit, raised: last[5] === 1, judged: last[3] !== null }
    })
    const now = Math.max(...Object.values(lines).map((line) => line.points[line.points.length - 1][0]))
    return { signals, now, timeZone: flow.get('timeZone') || 'UTC' }
  }
}
