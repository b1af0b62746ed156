// Keeps the last 240 points of each watched signal, and once a second sends the trend panel those that are new.
// A point is [time, value, expected, lower, upper, raised 0 or 1].
export default function trend({ msg, context, flow }) {
  const LENGTH = 240
  const lines = context.get('lines') || {}

  if (msg.topic === 'history') {
    const line = lines[msg.payload]
    return line ? { payload: { ...head(), points: { [msg.payload]: line.points } } } : null
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
