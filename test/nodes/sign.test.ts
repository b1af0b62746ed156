import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { connect } from 'mqtt'
import type { Node, NodeAPI } from 'node-red'
import { packageRoot } from '../../core/base/package-root.ts'
import type { Signature } from '../../core/messages/signature.ts'
import { makeSigningKey } from '../../core/store/anchor-key.ts'
import registerEvent from '../../nodes/event/event.ts'
import registerMqttBroker from '../../nodes/mqtt-broker/mqtt-broker.ts'
import registerPlant from '../../nodes/plant/plant.ts'
import { KnownConnections } from '../../nodes/shared/known-connections.ts'
import registerSign from '../../nodes/sign/sign.ts'
import registerStore, { type StoreNode } from '../../nodes/store/store.ts'
import registerWorkOrder from '../../nodes/work-order/work-order.ts'
import { Mosquitto, needsMosquitto } from '../core/connect/support/mosquitto.ts'
import { until } from '../core/connect/support/wait.ts'
import { CHEAP, PASSWORD } from '../core/people/support.ts'
import { created, held, lot, rejection } from '../core/store/support/store.ts'
import { brokerNode } from './support/connect.ts'
import { type FlowNode, helper, loadFlow, nextMessage, type Received } from './support/helper.ts'
import { machinePlant } from './support/machine-plant.ts'

const run = promisify(execFile)
const WRONG = 'a wrong password indeed'

describe('sign node', () => {
  let folder: string
  let node: (id: string) => Node
  let red: NodeAPI
  const registers = [(RED: NodeAPI) => void (red = RED), registerPlant, registerStore, registerMqttBroker, registerSign]

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-test-sign-'))
    helper.settings({ userDir: folder } as never)
  })
  afterEach(async () => {
    await helper.unload()
    helper.settings({})
    rmSync(folder, { recursive: true, force: true })
  })

  const storeNode = (): StoreNode => node('s1') as StoreNode
  async function load(sign: Record<string, unknown> = {}, store: Record<string, unknown> = {}, more: readonly FlowNode[] = []): Promise<void> {
    node = await loadFlow(registers, [
      { id: 'f1', type: 'tab' },
      machinePlant(),
      { id: 's1', type: 'takt-store', name: 'S', file: 'takt.db', plant: 'a1', ...store },
      { id: 'n1', z: 'f1', type: 'takt-sign', name: 'N', store: 's1', plant: 'a1', meaning: 'approved', order: '', wires: [['good'], ['bad']], ...sign },
      { id: 'good', z: 'f1', type: 'helper' },
      { id: 'bad', z: 'f1', type: 'helper' },
      { id: 'c1', z: 'f1', type: 'catch', scope: ['n1'], wires: [['caught']] },
      { id: 'caught', z: 'f1', type: 'helper' },
      ...more,
    ])
  }

  /** An administrator, Eva of quality and Sven the supervisor. */
  async function people(): Promise<void> {
    const { people } = storeNode().known
    Object.assign(people.settings, { cost: CHEAP })
    await people.firstAdministrator({ id: 'admin', name: 'Ada Admin', password: PASSWORD })
    for (const [id, name, role, badge] of [
      ['eva', 'Eva Kern', 'quality', '4711'],
      ['sven', 'Sven Holm', 'supervisor', '4712'],
    ] as const) {
      // biome-ignore format: one line
      await people.add({ id, name, badge, roles: [role], password: 'first-time-only-9' }, 'person:admin', 'new')
      await people.changePassword(id, 'first-time-only-9', PASSWORD)
    }
    await storeNode().store.transaction((tx) => tx.save(lot('lot-1'), created))
  }

  const ask = (message: Record<string, unknown>, port: 'good' | 'bad' = 'good'): Promise<Received> => {
    const next = nextMessage(node(port))
    node('n1').receive(message as never)
    return next
  }
  const request = (more: Record<string, unknown> = {}) => ({ record: { kind: 'lot', id: 'lot-1', revision: 1 }, person: '4711', password: PASSWORD, ...more })

  it('signs what a person asks for, with badge and password, and passes on what else the message has', async () => {
    await load()
    await people()
    const { topic, payload, session, ...rest } = await ask({ topic: 'quality/sign', payload: request({ comment: 'fine' }), batch: 7 })
    const { name, meaning, components, comment, record, at } = payload as Signature
    assert.deepEqual([topic, name, meaning, comment, components], ['signed/lot/lot-1', 'Eva Kern', 'approved', 'fine', ['badge', 'password']])
    assert.deepEqual([record.kind, record.id, record.revision, rest.batch], ['lot', 'lot-1', 1, 7])
    assert.match(at, /^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/)
    const again = await ask({ session, payload: { record: { kind: 'lot', id: 'lot-1' }, meaning: 'reviewed', password: PASSWORD } })
    assert.deepEqual((again.payload as Signature).components, ['session', 'password'])
    const { payload: list } = await ask({ topic: 'signatures', payload: { kind: 'lot', id: 'lot-1' } })
    assert.deepEqual(list.signatures.map(({ state }: { state: string }) => state), ['signed', 'signed']) // biome-ignore format: one line
  })

  it('lets no password out: not by an output, an error, the log, a status, the store or the message itself', async () => {
    await load()
    await people()
    const messages: Record<string, unknown>[] = [
      { topic: 'sign', payload: request() },
      { topic: 'sign', payload: request({ password: undefined, record: undefined }), credentials: { password: WRONG } },
      { topic: 'sign', payload: request({ password: WRONG }) },
      { topic: 'sign', payload: { record: { kind: 'lot', id: 'lot-1' }, person: 'eva' }, password: WRONG },
      { topic: 'people/whatever', payload: { person: 'eva', oldPassword: WRONG, newPassword: `${WRONG} new` } },
      { topic: 'people/password', payload: { person: 'eva', oldPassword: WRONG, newPassword: `${WRONG} new` } },
      { topic: 'sign-in', payload: { person: WRONG, password: WRONG } },
    ]
    const seen: unknown[] = []
    // biome-ignore lint/plugin: a test's ear on a helper node
    for (const id of ['good', 'bad', 'caught']) node(id).on('input', ((message: unknown) => seen.push(message)) as never)
    for (const message of messages) {
      node('n1').receive(message as never)
      await Promise.race([nextMessage(node('good')), nextMessage(node('bad'))]).catch(() => {})
    }
    assert.ok(seen.length >= messages.length, `${seen.length} answers`)
    const logged = (helper.log() as unknown as { args: unknown[][] }).args
    const shown = (node('n1') as unknown as { status: { args: unknown[][] } }).status.args
    // a password that was typed as the name is only in the excerpt of that very message, which nobody but its sender gets
    const answers = JSON.stringify(
      seen.filter((message) => (message as Received).topic !== 'sign/refused' || !JSON.stringify(message).includes('"person\\":\\"a wrong')),
    )
    const ledger = JSON.stringify(await storeNode().store.events(0, 1000))
    for (const [what, text] of Object.entries({ answers, ledger, logged: JSON.stringify(logged), shown: JSON.stringify(shown) }))
      for (const secret of [PASSWORD, WRONG]) assert.ok(!text.includes(secret), `${what} has '${secret}'`)
    // what came in has lost it too, whoever else holds it
    for (const { payload, credentials, password } of messages.slice(0, -1)) assert.ok(!JSON.stringify([payload, credentials, password]).includes(WRONG))
    const file = readFileSync(join(folder, 'takt.db'))
    for (const secret of [PASSWORD, WRONG]) assert.equal(file.includes(secret), false)
  })

  it('refuses with a code what is no request, and what the person may not', async () => {
    await load()
    await people()
    const cases: ReadonlyArray<readonly [Record<string, unknown>, string]> = [
      [{ payload: 'sign it' }, 'TAKT_SIGN_INVALID'],
      [{ payload: null }, 'TAKT_SIGN_INVALID'],
      [{ payload: request({ record: 'lot-1' }) }, 'TAKT_SIGN_INVALID'],
      [{ payload: request({ record: { kind: 'lot', id: 'lot\0' } }) }, 'TAKT_SIGN_INVALID'],
      [{ payload: request({ record: { kind: 'lot', id: 'x'.repeat(1_000_000) } }) }, 'TAKT_SIGN_INVALID'],
      [{ payload: request({ record: { kind: 'lot', id: 'lot \ud800' } }) }, 'TAKT_SIGN_INVALID'],
      [{ payload: request({ meaning: 'blessed' }) }, 'TAKT_SIGN_INVALID'],
      [{ payload: request({ comment: 'x'.repeat(1_000_000) }) }, 'TAKT_SIGN_INVALID'],
      [{ payload: JSON.parse('{"__proto__":{"person":"eva"}}') }, 'TAKT_MESSAGE_FORBIDDEN_KEY'],
      [{ payload: request({ record: { kind: 'lot', id: 'lot-9' } }) }, 'TAKT_SIGN_RECORD_UNKNOWN'],
      [{ payload: request({ record: { kind: 'lot', id: 'lot-1', revision: 2 } }) }, 'TAKT_SIGN_RECORD_CHANGED'],
      [{ payload: request({ person: 'nobody' }) }, 'TAKT_PERSON_REFUSED'],
      [{ payload: request({ person: "eva'; drop table person;--" }) }, 'TAKT_PERSON_REFUSED'],
      [{ payload: request({ person: undefined }), by: 'eva', user: 'eva', _client: { socketId: 'x', user: { userId: 'eva' } } }, 'TAKT_PERSON_NOT_SIGNED_IN'],
      [{ payload: request({ person: 'sven', meaning: 'responsible' }) }, 'TAKT_PERSON_NOT_ALLOWED'],
      [{ topic: 'people/add', payload: { id: 'mallory', name: 'M', roles: ['administrator'], why: 'me' } }, 'TAKT_PERSON_NOT_SIGNED_IN'],
      [{ topic: 'people/explode', payload: {} }, 'TAKT_SIGN_INVALID'],
    ]
    for (const [message, code] of cases) {
      const { payload, topic } = await ask(message, 'bad')
      assert.deepEqual([topic, payload.code], ['sign/refused', code], JSON.stringify(message).slice(0, 200))
      assert.ok(payload.excerpt.length <= 2000)
    }
    assert.deepEqual(await storeNode().store.list('signature'), [])
  })

  it('takes the first component from the dashboard connection that it was given over, and from no other', async () => {
    await load({ order: 'performed, approved', differentPeople: true })
    await people()
    const { hooks } = KnownConnections.of(red)
    const [tablet, other] = ['socket-1', 'socket-2'].map((id) => Object.assign(new EventEmitter(), { id, handshake: { headers: {} } }))
    const { addConnectionCredentials } = createRequire(import.meta.url)('@flowfuse/node-red-dashboard/nodes/utils/index.js') as {
      addConnectionCredentials(RED: unknown, message: unknown, connection: unknown, config: unknown): Record<string, unknown>
    }
    /** As Dashboard 2.0 receives it from a browser. */
    const over = (connection: typeof tablet, message: Record<string, unknown>) =>
      addConnectionCredentials({ plugins: { getByType: () => [{ hooks }] } }, hooks.onAction(connection as never, 'w', message), connection, {
        includeClientData: true,
      })
    const payload = (meaning: string, more: Record<string, unknown> = {}) => ({ record: { kind: 'lot', id: 'lot-1' }, meaning, password: PASSWORD, ...more })

    const signedIn = await ask(over(tablet, { topic: 'sign-in', payload: { badge: '4712', password: PASSWORD } }))
    assert.deepEqual([signedIn.payload.id, signedIn.session], ['sven', undefined], 'no token travels where the connection stands for it')
    const elsewhere = await ask(over(other, { payload: payload('performed'), _client: { socketId: 'socket-1' } }), 'bad')
    assert.equal(elsewhere.payload.code, 'TAKT_PERSON_NOT_SIGNED_IN')
    const first = await ask(over(tablet, { payload: payload('performed') }))
    assert.deepEqual([first.payload.person, first.payload.components, first.payload.done, first.payload.complete], ['sven', ['session', 'password'], 1, false])
    const second = await ask(over(tablet, { payload: payload('approved') }), 'bad')
    assert.equal(second.payload.code, 'TAKT_SIGN_SAME_PERSON')
    const eva = await ask(over(other, { payload: payload('approved', { person: 'eva' }) }))
    assert.deepEqual([eva.payload.person, eva.payload.complete, eva._client], ['eva', true, { socketId: 'socket-2', socketIp: undefined }])
    tablet!.emit('disconnect')
    const gone = await ask({ payload: payload('reviewed'), _client: { socketId: 'socket-1' } }, 'bad')
    assert.equal(gone.payload.code, 'TAKT_PERSON_NOT_SIGNED_IN')
  })

  it('manages people for who may, over a session', async () => {
    await load()
    await people()
    const { session } = await ask({ topic: 'sign-in', payload: { person: 'admin', password: PASSWORD } })
    const added = await ask({
      topic: 'people/add',
      session,
      payload: { id: 'mia', name: 'Mia', roles: ['operator'], password: 'first-time-only-9', why: 'new' },
    })
    assert.deepEqual([added.payload.id, added.payload.password.mustChange, added.session], ['mia', true, undefined])
    const changed = await ask({ topic: 'people/password', payload: { person: 'mia', oldPassword: 'first-time-only-9', newPassword: PASSWORD } })
    assert.equal(changed.payload.id, 'mia')
    const trained = await ask({ topic: 'people/change', session, payload: { person: 'mia', roles: ['operator', 'quality'], why: 'trained' } })
    assert.equal(trained.payload.roles.length, 2)
    assert.ok((await ask({ topic: 'people/lock', session, payload: { person: 'mia', why: 'on holiday' } })).payload.locked)
    assert.equal((await ask({ topic: 'people/unlock', session, payload: { person: 'mia', why: 'is back' } })).payload.locked, null)
    assert.deepEqual((await ask({ topic: 'people/list', session, payload: {} })).payload.map(({ id }: { id: string }) => id), ['admin', 'eva', 'mia', 'sven']) // biome-ignore format: one line
    await ask({ topic: 'sign-out', session, payload: {} })
    assert.equal((await ask({ topic: 'people/list', session, payload: {} }, 'bad')).payload.code, 'TAKT_PERSON_NOT_SIGNED_IN')
  })

  it('checks the ledger and every signature, and names the first that is wrong', async () => {
    await load()
    await people()
    await ask({ payload: request() })
    const whole = await ask({ topic: 'verify', payload: '' })
    assert.deepEqual([whole.topic, whole.payload.ok, whole.payload.fault], ['ledger/verified', true, null])
    await storeNode().store.transaction(async (tx) => tx.save({ ...(await tx.get('lot', 'lot-1'))!, disposition: 'held' }, held))
    assert.equal((await ask({ topic: 'verify', payload: '' })).payload.ok, true, 'a record that changed is no broken signature')
    const { DatabaseSync } = await import('node:sqlite')
    const db = new DatabaseSync(join(folder, 'takt.db'))
    db.exec(`update signature set document = replace(document, 'Eva Kern', 'Eva Horn')`)
    db.close()
    const forged = await ask({ topic: 'verify', payload: '' }, 'bad')
    assert.match(forged.payload.fault.what, /the signature sig-\w+ is not what row \d+ says/)
  })

  it('refuses settings that are wrong', async () => {
    for (const [sign, store, what] of [
      [{ order: 'performed, blessed' }, {}, /'blessed' is none of the meanings/],
      [{ meaning: 'blessed' }, {}, /the meaning 'blessed' is none of/],
      [{}, { roles: '{"operator":["everything"]}' }, /'everything', which is no action/],
      [{}, { roles: '{' }, /roles: /],
      [{}, { lockAfter: '0' }, /wrong passwords is '0'/],
      [{}, { keyFile: 'none.pem' }, /no such key file/],
    ] as const) {
      await load(sign, store)
      node('n1').receive({ payload: {} } as never)
      const { error } = await nextMessage(node('caught'))
      assert.match((error as { message: string }).message, what)
      await helper.unload()
    }
  })

  it('tells a broker where the ledger ends, signed, as a message that stays', async function () {
    needsMosquitto(this)
    const broker = await Mosquitto.start()
    try {
      const key = makeSigningKey(join(folder, 'key.pem'))
      await load({ broker: 'broker', witnessTopic: 'plant/head', witnessSeconds: '1' }, { keyFile: 'key.pem' }, [brokerNode(broker.url)])
      await people()
      const reader = connect(broker.url, { protocolVersion: 5, reconnectPeriod: 100 })
      let witness = ''
      reader.on('message', (_topic, payload, { retain }) => {
        if (retain) witness = payload.toString()
      })
      await until(async () => {
        // the flag as it was published
        if (reader.connected) await reader.subscribeAsync('plant/head', { qos: 1, rap: true })
        const { sequence, hash } = await storeNode().store.head()
        return witness !== '' && JSON.parse(witness).sequence === sequence && JSON.parse(witness).hash === hash
      }, 'the witness has the head')
      await reader.endAsync(true)
      assert.equal(JSON.parse(witness).key, key.id)
      const asked = await ask({ topic: 'head', payload: '' })
      assert.deepEqual(asked.payload, JSON.parse(witness))
      // which the command line takes
      writeFileSync(join(folder, 'witness.json'), witness)
      const { stdout } = await run(process.execPath, [
        join(packageRoot, 'scripts/verify-ledger.ts'),
        join(folder, 'takt.db'),
        '--key',
        join(folder, 'key.pem.pub'),
        '--head',
        join(folder, 'witness.json'),
      ])
      assert.match(stdout, /The ledger is whole/)
    } finally {
      await helper.unload()
      await broker.remove()
    }
  }).timeout(20_000)

  it('has an example: an administrator by command, people by the form, three signatures on an order', async () => {
    const example = JSON.parse(readFileSync(join(packageRoot, 'examples/sign.json'), 'utf8')) as FlowNode[]
    const flow = example.filter(({ type }) => type !== 'comment' && !/^ui-(base|theme|page|group)$/.test(type)).map((entry) => (['inject', 'debug', 'ui-template'].includes(entry.type) ? { ...entry, type: 'helper' } : entry)) // biome-ignore format: one line
    const coreFunction = createRequire(import.meta.url)('@node-red/nodes/core/function/10-function.js')
    const byName = (name: string): Node => node(flow.find((entry) => entry.name === name)!.id)
    const start = async (): Promise<void> => {
      node = await loadFlow([...registers, registerEvent, registerWorkOrder, coreFunction], flow)
      const store = example.find(({ type }) => type === 'takt-store')!
      Object.assign((node(store.id) as StoreNode).known.people.settings, { cost: CHEAP })
      await (node(store.id) as StoreNode).store.head()
    }
    await start()
    await helper.unload()
    const file = join(folder, 'takt/example-sign.db')
    assert.ok(existsSync(file))
    await administrator(file, 'admin', 'Ada Admin')

    await start()
    let session: string | undefined
    const press = async (form: string, to: string, topic: string, payload: Record<string, unknown>): Promise<Received> => {
      const answer = nextMessage(byName(form))
      byName(to).receive({ topic, payload, ...(session === undefined ? {} : { session }) } as never)
      return answer
    }
    session = (await press('people form', 'People', 'sign-in', { person: 'admin', password: PASSWORD })).session as string
    for (const [id, role] of [
      ['olga', 'operator'],
      ['mika', 'maintenance'],
      ['eva', 'quality'],
    ] as const) {
      // biome-ignore format: one line
      const added = await press('people form', 'People', 'people/add', { id, name: id, roles: [role], why: 'new', password: 'first-time-only-9' })
      assert.equal(added.topic, 'people/add')
      await press('sign form', 'Sign', 'people/password', { person: id, oldPassword: 'first-time-only-9', newPassword: PASSWORD })
    }
    const shown = nextMessage(byName('sign form'), ({ topic, payload }) => topic === 'records' && /Released/.test(payload[0].text))
    byName('Orders').receive({ topic: 'orders/create', payload: { product: 'shaft-a', quantity: 20 } } as never)
    const [{ kind, id, revision }] = (await shown).payload
    const complete = nextMessage(byName('complete'))
    for (const [person, meaning] of [
      ['olga', 'performed'],
      ['mika', 'verified'],
      ['eva', 'approved'],
    ] as const) {
      // biome-ignore format: one line
      const signed = await press('sign form', 'Sign', 'sign', { record: { kind, id, revision }, meaning, person, password: PASSWORD })
      assert.equal(signed.topic, `signed/work-order/${id}`, JSON.stringify(signed.payload))
    }
    assert.match(String((await complete).payload), /has its signatures/)
  }).timeout(20_000)

  /** As on a command line; the password comes by standard input. */
  function administrator(file: string, id: string, name: string): Promise<void> {
    const child = spawn(process.execPath, [join(packageRoot, 'scripts/people.ts'), file, 'first-administrator', '--id', id, '--name', name], {
      stdio: ['pipe', 'ignore', 'inherit'],
    })
    child.stdin.end(`${PASSWORD}\n`)
    return new Promise((resolve, reject) => child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`exit code ${code}`)))))
  }

  it('does not answer a store that is away as if it were a refusal', async () => {
    await load()
    await people()
    await storeNode().store.close()
    node('n1').receive({ topic: 'sign', payload: request() } as never)
    const { error } = await nextMessage(node('caught'))
    assert.match((error as { message: string }).message, /TAKT_STORE_CLOSED/)
    assert.equal((await rejection(storeNode().store.head())).code, 'TAKT_STORE_CLOSED')
  })
})
