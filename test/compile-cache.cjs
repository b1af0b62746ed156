// Compiled code is kept between the many processes that the tests start: a third of the time that loading takes.
const { enableCompileCache, flushCompileCache } = require('node:module')
const { join } = require('node:path')

process.env.NODE_COMPILE_CACHE ??= join(__dirname, '..', 'node_modules', '.cache', 'takt-tests')
enableCompileCache(process.env.NODE_COMPILE_CACHE)

// a process that is killed writes nothing, and others would wait for the end of this one
exports.mochaHooks = { beforeAll: () => flushCompileCache() }
