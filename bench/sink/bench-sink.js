// A sink that only counts, and tells what the process has spent; the same for every flow that is measured.
module.exports = (RED) => {
  let received = 0
  let first = 0
  let last = 0
  RED.nodes.registerType('bench-sink', function BenchSink(config) {
    RED.nodes.createNode(this, config)
    // biome-ignore lint/plugin: the cheapest sink there is
    this.on('input', (_message, _send, done) => {
      received++
      // the time is asked for now and then only: it must cost nothing
      if ((received & 63) === 1) note()
      done()
    })
  })
  function note() {
    last = performance.now()
    if (first === 0) first = last
  }
  RED.httpAdmin.get('/bench', (request, response) => {
    response.json({ received, first, last, cpu: process.cpuUsage(), rss: process.memoryUsage.rss() })
    if (request.query.reset !== undefined) received = first = last = 0
  })
}
