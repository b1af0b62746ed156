import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { InfluxLink, type InfluxSettings } from '../../../../core/connect/influx/influx-link.ts'

interface Request {
  readonly path: string
  readonly query: Record<string, string>
  readonly authorization: string | undefined
  readonly body: string
}

/** What goes over the wire to servers that speak like InfluxDB 1, and what their answers are taken for. Their databases are not here: only their manners. */
describe('servers that speak like InfluxDB 1', () => {
  let server: Server
  let answer: (request: Request, response: ServerResponse) => void
  const seen: Request[] = []
  const links: InfluxLink[] = []

  beforeEach(async () => {
    seen.length = 0
    answer = (_request, response) => response.writeHead(204).end()
    server = createServer((request: IncomingMessage, response) => {
      let body = ''
      request.on('data', (part) => (body += part))
      request.on('end', () => {
        const url = new URL(request.url ?? '/', 'http://host')
        const made = { path: url.pathname, query: Object.fromEntries(url.searchParams), authorization: request.headers.authorization, body }
        seen.push(made)
        answer(made, response)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(async () => {
    for (const link of links.splice(0)) await link.end()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  function link(settings: Partial<InfluxSettings> = {}, path = ''): InfluxLink {
    const { port } = server.address() as { port: number }
    const urls = [new URL(`http://127.0.0.1:${port}${path}`)]
    const made = new InfluxLink({ urls, database: 'takt', retentionPolicy: '', timeoutMs: 500, createDatabase: true, where: 'test', ...settings })
    links.push(made)
    return made
  }
  const json = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

  it('InfluxDB 2: the token goes with writes and questions; the retention policy is named', async () => {
    const to = link({ token: 'abc', retentionPolicy: 'autogen' })
    assert.deepEqual(await to.write('m v=1 1'), { kind: 'written' })
    answer = (_request, response) => json(response, 200, { results: [{ statement_id: 0, series: [{ name: 'm', columns: ['time', 'v'], values: [[1, 1]] }] }] })
    assert.equal((await to.query('SELECT "v" FROM "m"')).results.length, 1)
    assert.deepEqual(
      seen.map(({ path, authorization }) => [path, authorization]),
      [
        ['/write', 'Token abc'],
        ['/query', 'Token abc'],
      ],
    )
    assert.deepEqual(seen[0]?.query, { db: 'takt', precision: 'ms', rp: 'autogen' })
    assert.equal(seen[0]?.body, 'm v=1 1')
    assert.deepEqual([seen[1]?.query.db, seen[1]?.query.epoch, seen[1]?.query.rp], ['takt', 'ms', 'autogen'])
  })

  it('InfluxDB 2: a bucket that is not mapped is told, and no database is made', async () => {
    answer = (_request, response) => json(response, 404, { code: 'not found', message: 'no dbrp mapping found' })
    const outcome = await link({ token: 'abc' }).write('m v=1 1')
    assert.equal(outcome.kind === 'failed' && outcome.problem.code, 'TAKT_INFLUX_DATABASE')
    assert.equal(seen.length, 1)
  })

  it('VictoriaMetrics or a proxy below a path: the path is kept', async () => {
    const to = link({}, '/insert/0/influx/')
    assert.equal((await to.write('m v=1 1')).kind, 'written')
    assert.equal(seen[0]?.path, '/insert/0/influx/write')
    answer = (_request, response) => response.writeHead(400, { 'content-type': 'text/plain' }).end('unsupported path requested: "/query"')
    await assert.rejects(to.query('SELECT 1'), { code: 'TAKT_INFLUX_FAILED' })
    assert.equal(seen[1]?.path, '/insert/0/influx/query')
  })

  it('an answer that stops halfway, and one that is no JSON', async () => {
    answer = (_request, response) => void response.writeHead(200, { 'content-length': '100' }).write('{"resu')
    const to = link()
    const started = performance.now()
    const outcome = await to.write('m v=1 1')
    assert.equal(outcome.kind === 'failed' && outcome.problem.code, 'TAKT_INFLUX_AWAY')
    await assert.rejects(to.query('SELECT 1'), { code: 'TAKT_INFLUX_AWAY' })
    assert.ok(performance.now() - started < 10_000)
    answer = (_request, response) => response.writeHead(200).end('<html>')
    await assert.rejects(to.query('SELECT 1'), { code: 'TAKT_INFLUX_FAILED' })
  })

  it('an answer without end is cut', async () => {
    answer = (_request, response) => {
      response.writeHead(400)
      const more = (): void => {
        if (response.writableEnded || response.destroyed) return
        response.write('x'.repeat(65_536), () => setImmediate(more))
      }
      more()
    }
    const outcome = await link().write('m v=1 1')
    assert.equal(outcome.kind, 'failed')
  })
})
