// A sink that only counts, and tells what the process has spent; the same for every flow that is measured.
module.exports = (RED) => {
  let received = 0
  RED.nodes.registerType('bench-sink', function BenchSink(config) {
    RED.nodes.createNode(this, config)
    // biome-ignore lint/plugin: the cheapest sink there is
    this.on('input', (_message, _send, done) => {
      received++
      done()
    })
  })
  RED.httpAdmin.get('/bench', (_request, response) => response.json({ received, cpu: process.cpuUsage(), rss: process.memoryUsage.rss() }))
}
