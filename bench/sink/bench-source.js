// A source of samples, as fast as the flow takes them: POST /bench/emit?count=100000.
module.exports = (RED) => {
  const BURST = 500
  let source
  RED.nodes.registerType('bench-source', function BenchSource(config) {
    RED.nodes.createNode(this, config)
    source = this
  })
  RED.httpAdmin.post('/bench/emit', (request, response) => {
    const count = Number(request.query.count)
    const from = Number(request.query.from)
    let sent = 0
    const burst = () => {
      for (let i = 0; i < BURST && sent < count; i++, sent++) {
        const signal = `s${sent % 20}`
        const payload = {
          kind: 'sample',
          equipment: 'takt/unit',
          signal,
          value: sent / 7,
          unit: 'mm/s',
          quality: 'good',
          time: from + sent,
          received: from + sent,
        }
        source.send({ topic: `takt/unit/${signal}`, payload })
      }
      if (sent < count) setImmediate(burst)
      else response.json({ sent })
    }
    burst()
  })
}
