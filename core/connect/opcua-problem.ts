import { X509Certificate } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ClientSession, OPCUAClient } from 'node-opcua'
import { TaktError } from '../base/error.ts'
import type { Opcua } from './load-opcua.ts'
import type { OpcuaSettings } from './opcua-settings.ts'
import { CLIENT_TRANSPORT } from './opcua-transport.ts'
import { ownCertificateFile } from './opcua-trust.ts'

const GOODBYE_MS = 2000

/** What went wrong while connecting, as a coded error that says what a person can do. */
export async function problemOf(thrown: unknown, settings: OpcuaSettings, opcua: Opcua): Promise<TaktError> {
  const { where, pkiFolder, securityMode, securityPolicy } = settings
  const message = messageOf(thrown)
  if (/BadCertificateUntrusted|BadCertificateChainIncomplete/.test(message)) {
    const thumbprint = await serverThumbprint(settings, opcua)
    const file = thumbprint === undefined ? undefined : rejectedFile(pkiFolder, thumbprint)
    return new TaktError('TAKT_OPCUA_UNTRUSTED', {
      what:
        `the server's certificate${thumbprint === undefined ? '' : ` with thumbprint ${thumbprint}`} is not trusted: ` +
        `if it is the right one, trust it in the endpoint's dialog, or move ${file ?? `its file in ${join(pkiFolder, 'rejected')}`} to ${join(pkiFolder, 'trusted', 'certs')}`,
      where,
      cause: thrown,
    })
  }
  if (/BadUserAccessDenied|BadIdentityToken|token policy/i.test(message)) return new TaktError('TAKT_OPCUA_USER', { what: message, where, cause: thrown })
  if (/Cannot find an Endpoint/i.test(message)) {
    const what = `the server has no endpoint with ${securityMode}${securityMode === 'None' ? '' : ` and ${securityPolicy}`}`
    return new TaktError('TAKT_OPCUA_SECURITY', { what, where, cause: thrown })
  }
  if (/BadSecurityChecksFailed|BadCertificate|BadApplicationUri/.test(message)) {
    const own = ownCertificateFile(pkiFolder)
    return new TaktError('TAKT_OPCUA_REJECTED', { what: `the server does not trust Takt's certificate (${own}): ${message}`, where, cause: thrown })
  }
  return new TaktError('TAKT_OPCUA_AWAY', { what: `the OPC UA server does not answer: ${message}`, where, cause: thrown })
}

/** Asked without security, as discovery may be: for the error message only. */
async function serverThumbprint({ url, pkiFolder }: OpcuaSettings, opcua: Opcua): Promise<string | undefined> {
  const client = opcua.OPCUAClient.create({
    applicationName: 'Takt',
    endpointMustExist: false,
    clientCertificateManager: new opcua.OPCUACertificateManager({ rootFolder: pkiFolder, disableFileWatchers: true }),
    connectionStrategy: { maxRetry: 0 },
    transportSettings: CLIENT_TRANSPORT,
  })
  try {
    await client.connect(url)
    const endpoints = await client.getEndpoints()
    const certificate = endpoints.find((endpoint) => endpoint.serverCertificate?.length > 0)?.serverCertificate
    return certificate === undefined ? undefined : thumbprintOf(certificate)
  } catch {
    return undefined
  } finally {
    await dispose(client)
  }
}

/** SHA-1 of the certificate; of a chain the first is the server's own. */
function thumbprintOf(chain: Buffer): string {
  return new X509Certificate(chain).fingerprint.replaceAll(':', '').toLowerCase()
}

function rejectedFile(pkiFolder: string, thumbprint: string): string | undefined {
  const folder = join(pkiFolder, 'rejected')
  try {
    const name = readdirSync(folder).find((file) => file.toLowerCase().includes(thumbprint))
    return name === undefined ? undefined : join(folder, name)
  } catch {
    return undefined
  }
}

/** Says goodbye if the server listens, and never waits long for it. Subscriptions that their owners did not end stay on the server for them. */
export async function dispose(client: OPCUAClient, session?: ClientSession): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const goodbye = Promise.resolve(session?.close(false))
    .catch(() => {})
    .then(() => client.disconnect())
    .catch(() => {})
  await Promise.race([
    goodbye,
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, GOODBYE_MS)
    }),
  ])
  clearTimeout(timer)
}

/** The library wraps what went wrong in advice; the last `Err = (…)` is the thing itself. */
export function messageOf(thrown: unknown): string {
  const message = (thrown instanceof Error ? thrown.message : String(thrown)).replace(/\s+/g, ' ').trim()
  return /Err = \((.+)\)$/.exec(message)?.[1] ?? message
}
