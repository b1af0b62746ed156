// Notes when a message comes by, and what a planner would know it by: POST /bench/send sends one out of it, GET /bench/stopwatch tells all that was noted.
module.exports = (RED) => {
  const seen = []
  const watches = new Map()
  RED.nodes.registerType('bench-stopwatch', function BenchStopwatch(config) {
    RED.nodes.createNode(this, config)
    watches.set(config.name, this)
    // biome-ignore lint/plugin: the cheapest node there is
    this.on('input', (message, _send, done) => {
      const at = performance.now()
      const { equipment, version, assignments, trigger } = message.payload ?? {}
      const repairs = (assignments ?? []).filter(({ maintenance }) => maintenance).map((assignment) => assignment.equipment)
      seen.push({ name: config.name, at, equipment, version, trigger, repairs, rows: assignments?.length })
      done()
    })
  })
  RED.httpAdmin.post('/bench/send/:name', (request, response) => {
    watches.get(request.params.name).send(request.body)
    response.json({})
  })
  RED.httpAdmin.get('/bench/stopwatch', (_request, response) => response.json(seen))
}
