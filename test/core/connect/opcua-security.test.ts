import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageSecurityMode, OPCUACertificateManager, SecurityPolicy } from 'node-opcua'
import { OpcuaConnection } from '../../../core/connect/opcua-connection.ts'
import { discover } from '../../../core/connect/opcua-discovery.ts'
import { LEGACY_POLICIES, type OpcuaSettings, SECURITY_MODES, SECURITY_POLICIES } from '../../../core/connect/opcua-settings.ts'
import { distrustCertificate, readTrust, trustCertificate } from '../../../core/connect/opcua-trust.ts'
import { readUserCertificate } from '../../../core/connect/opcua-user-certificate.ts'
import { freePort } from './support/mosquitto.ts'
import { OpcuaTestServer } from './support/opcua-server.ts'
import { until } from './support/wait.ts'

const EVERYTHING = {
  securityModes: [MessageSecurityMode.None, MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt],
  securityPolicies: SECURITY_POLICIES.map((policy) => SecurityPolicy[policy]),
}

describe('OPC UA security', function () {
  this.timeout(90_000)
  let folder: string
  let server: OpcuaTestServer
  const cleanup: Array<() => Promise<unknown> | void> = []

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'takt-opcua-security-'))
    server = await OpcuaTestServer.start(undefined, EVERYTHING)
  })
  after(async () => {
    await server.remove()
    rmSync(folder, { recursive: true, force: true })
  })
  afterEach(async () => {
    for (const each of cleanup.splice(0).reverse()) await each()
  })

  function open(more: Partial<OpcuaSettings> = {}): OpcuaConnection {
    const connection = new OpcuaConnection({
      url: server.url,
      securityMode: 'None',
      securityPolicy: 'Basic256Sha256',
      acceptServerCertificate: true,
      pkiFolder: join(folder, 'pki'),
      where: 'a test',
      ...more,
    })
    const user = { linkChanged: () => {} }
    connection.register(user)
    cleanup.push(() => connection.deregister(user))
    return connection
  }

  async function serve(...args: Parameters<typeof OpcuaTestServer.start>): Promise<OpcuaTestServer> {
    const made = await OpcuaTestServer.start(...args)
    cleanup.push(() => made.remove())
    return made
  }

  async function problemOf(connection: OpcuaConnection): Promise<string | undefined> {
    await until(() => connection.state === 'away', 'the refusal', 30_000)
    return connection.problem?.code
  }

  /** A key pair of a person, made as any client makes its own. */
  async function person(name: string): Promise<{ readonly certificate: string; readonly key: string }> {
    const rootFolder = join(folder, name)
    const manager = new OPCUACertificateManager({ rootFolder, disableFileWatchers: true })
    await manager.initialize()
    const certificate = join(rootFolder, `${name}.pem`)
    await manager.createSelfSignedCertificate({
      applicationUri: `urn:${name}`,
      subject: `/CN=${name}`,
      dns: [],
      startDate: new Date(),
      validity: 10,
      outputFile: certificate,
    })
    await manager.dispose()
    return { certificate, key: join(rootFolder, 'own', 'private', 'private_key.pem') }
  }

  for (const securityMode of SECURITY_MODES) {
    for (const securityPolicy of SECURITY_POLICIES) {
      if ((securityMode === 'None') !== (securityPolicy === 'None')) continue
      it(`speaks ${securityMode}${securityMode === 'None' ? '' : `, ${securityPolicy}`}${LEGACY_POLICIES.has(securityPolicy) ? ' (legacy)' : ''}`, async () => {
        const connection = open({ securityMode, securityPolicy })
        await connection.whenConnected(30_000, () => connection.away())
        assert.equal(await connection.read('ns=1;s=Door'), false)
      })
    }
  }

  it('says so when a server offers none of it', async () => {
    const plain = await serve(undefined, { securityModes: [MessageSecurityMode.None], securityPolicies: [SecurityPolicy.None] })
    for (const securityPolicy of SECURITY_POLICIES.filter((policy) => policy !== 'None'))
      assert.equal(await problemOf(open({ url: plain.url, securityMode: 'SignAndEncrypt', securityPolicy })), 'TAKT_OPCUA_SECURITY')
  })

  it('says when the server does not trust it', async () => {
    const strict = await serve(undefined, { acceptClients: false })
    const connection = open({ url: strict.url, securityMode: 'SignAndEncrypt' })
    assert.equal(await problemOf(connection), 'TAKT_OPCUA_REJECTED')
    assert.match(connection.problem?.what ?? '', /client_certificate\.pem/)
  })

  describe('identities', () => {
    for (const securityMode of ['Sign', 'SignAndEncrypt'] as const)
      it(`logs in with a certificate, its key plain or encrypted, over ${securityMode}`, async () => {
        const guarded = await serve({ name: 'line', password: 'secret' }, { ...EVERYTHING, userCertificates: true })
        const files = await person(`maria-${securityMode.toLowerCase()}`)
        const encrypted = createPrivateKey(readFileSync(files.key, 'utf8')).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'pass' })
        for (const fields of [files, { certificate: readFileSync(files.certificate, 'utf8'), key: String(encrypted), passphrase: 'pass' }]) {
          const connection = open({ url: guarded.url, securityMode, userCertificate: readUserCertificate(fields, 'a test') })
          await connection.whenConnected(30_000, () => connection.away())
          assert.equal(await connection.read('ns=1;s=Door'), false)
        }
      })

    it('is refused with a certificate that the server does not take', async () => {
      const guarded = await serve({ name: 'line', password: 'secret' }, { userCertificates: false })
      const userCertificate = readUserCertificate(await person('mallory'), 'a test')
      assert.equal(await problemOf(open({ url: guarded.url, securityMode: 'SignAndEncrypt', userCertificate })), 'TAKT_OPCUA_USER')
    })

    it('refuses files that are none, and keys of others', async () => {
      const [one, other] = [await person('one'), await person('other')]
      const encrypted = String(
        createPrivateKey(readFileSync(one.key, 'utf8')).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'pass' }),
      )
      const wrong = [
        { certificate: '', key: one.key },
        { certificate: join(folder, 'nothing.pem'), key: one.key },
        { certificate: one.key, key: one.key },
        { certificate: one.certificate, key: other.key },
        { certificate: one.certificate, key: encrypted },
        { certificate: one.certificate, key: encrypted, passphrase: 'guess' },
      ]
      for (const fields of wrong) assert.throws(() => readUserCertificate(fields, 'a test'), { code: 'TAKT_OPCUA_USER_CERTIFICATE' })
    })
  })

  describe('discovery and trust', () => {
    it('lists what a server offers, the most secure first, and puts its certificate aside', async () => {
      const guarded = await serve({ name: 'line', password: 'secret' }, { ...EVERYTHING, userCertificates: true })
      const pkiFolder = join(folder, 'discovering')
      const offer = await discover(guarded.url, pkiFolder, 'a test')
      assert.deepEqual([offer.endpoints[0]?.securityMode, offer.endpoints[0]?.securityPolicy], ['SignAndEncrypt', 'Aes256_Sha256_RsaPss'])
      assert.equal(offer.endpoints.at(-1)?.securityMode, 'None')
      assert.deepEqual([...new Set(offer.endpoints.filter(({ legacy }) => legacy).map(({ securityPolicy }) => securityPolicy))].sort(), [
        'Basic128Rsa15',
        'Basic256',
      ])
      assert.ok(offer.endpoints.every(({ known }) => known))
      assert.deepEqual(offer.endpoints[0]?.identities, ['user', 'certificate'])
      const { servers } = await readTrust(pkiFolder)
      assert.deepEqual(
        servers.map(({ thumbprint, trusted }) => [thumbprint, trusted]),
        [[offer.certificate?.thumbprint, false]],
      )
      await discover(guarded.url, pkiFolder, 'a test')
      assert.equal(readdirSync(join(pkiFolder, 'rejected')).length, 1)
    })

    it('says that nobody answers', async () => {
      await assert.rejects(discover(`opc.tcp://127.0.0.1:${await freePort()}`, join(folder, 'discovering'), 'a test'), { code: 'TAKT_OPCUA_AWAY' })
    })

    it('connects by itself once the certificate that was seen is trusted, and not any more when that is taken back', async () => {
      const pkiFolder = join(folder, 'trusting')
      const connection = open({ securityMode: 'SignAndEncrypt', acceptServerCertificate: false, pkiFolder })
      assert.equal(await problemOf(connection), 'TAKT_OPCUA_UNTRUSTED')
      const { servers, own } = await readTrust(pkiFolder)
      assert.equal(servers.length, 1)
      const [seen] = servers
      assert.ok(connection.problem?.what.includes(seen?.thumbprint ?? 'none'))
      assert.ok((seen?.validTo ?? 0) > Date.now() && (seen?.validFrom ?? Number.MAX_VALUE) < Date.now())
      assert.match(seen?.sha256 ?? '', /^[0-9a-f]{64}$/)
      assert.match(own?.thumbprint ?? '', /^[0-9a-f]{40}$/)
      assert.match(own?.applicationUri ?? '', /^urn:/)
      await assert.rejects(trustCertificate(pkiFolder, '00'.repeat(20)), { code: 'TAKT_OPCUA_CERTIFICATE_UNKNOWN' })
      await assert.rejects(trustCertificate(pkiFolder, '../../../etc/passwd'), { code: 'TAKT_OPCUA_CERTIFICATE_UNKNOWN' })
      const trusted = await trustCertificate(pkiFolder, (seen?.thumbprint ?? '').toUpperCase())
      assert.equal(trusted.trusted, true)
      await until(() => connection.state === 'connected', 'the connection', 30_000)
      await distrustCertificate(pkiFolder, trusted.thumbprint)
      assert.equal(await problemOf(open({ securityMode: 'SignAndEncrypt', acceptServerCertificate: false, pkiFolder })), 'TAKT_OPCUA_UNTRUSTED')
    })

    it('passes over files that are no certificates', async () => {
      const pkiFolder = join(folder, 'trusting')
      writeFileSync(join(pkiFolder, 'rejected', 'rubbish.pem'), 'nothing')
      const { servers } = await readTrust(pkiFolder)
      assert.equal(servers.length, 1)
    })
  })
})
