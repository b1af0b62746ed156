import { TaktError } from '../base/error.ts'
import { loadOpcua } from './load-opcua.ts'
import { dispose, messageOf } from './opcua-problem.ts'
import { LEGACY_POLICIES, type OpcuaSecurityMode, SECURITY_POLICIES } from './opcua-settings.ts'
import { CLIENT_TRANSPORT } from './opcua-transport.ts'
import { type CertificateFacts, noteCertificate } from './opcua-trust.ts'

export type IdentityKind = 'anonymous' | 'user' | 'certificate' | 'token'

/** One way in that a server offers. */
export interface OfferedEndpoint {
  readonly url: string
  readonly securityMode: OpcuaSecurityMode
  readonly securityPolicy: string
  /** The policy rests on SHA-1. */
  readonly legacy: boolean
  /** The library speaks it. */
  readonly known: boolean
  /** The server's own opinion, 0 to 255. */
  readonly level: number
  readonly identities: readonly IdentityKind[]
}

export interface ServerOffer {
  readonly name: string
  /** The most secure first. */
  readonly endpoints: readonly OfferedEndpoint[]
  readonly certificate: CertificateFacts | undefined
}

const MODES: readonly (OpcuaSecurityMode | undefined)[] = [undefined, 'None', 'Sign', 'SignAndEncrypt']
const IDENTITIES: readonly IdentityKind[] = ['anonymous', 'user', 'certificate', 'token']
const TIMEOUT_MS = 8000

/**
 * What a server offers, asked without security as discovery may be (OPC 10000-4, 5.5.4). Its certificate is put aside, so that a person can trust it.
 * Rejects with TAKT_OPCUA_AWAY.
 */
export async function discover(url: string, pkiFolder: string, where: string): Promise<ServerOffer> {
  const opcua = await loadOpcua()
  const client = opcua.OPCUAClient.create({
    applicationName: 'Takt',
    endpointMustExist: false,
    clientCertificateManager: new opcua.OPCUACertificateManager({ rootFolder: pkiFolder, disableFileWatchers: true }),
    connectionStrategy: { maxRetry: 0 },
    transportTimeout: TIMEOUT_MS,
    defaultTransactionTimeout: TIMEOUT_MS,
    transportSettings: CLIENT_TRANSPORT,
  })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS)
  })
  const ask = async () => {
    await client.connect(url)
    return client.getEndpoints()
  }
  try {
    const found = await Promise.race([ask(), late])
    const endpoints = found.flatMap((each): OfferedEndpoint[] => {
      const securityMode = MODES[each.securityMode]
      const securityPolicy = /#(\w+)$/.exec(each.securityPolicyUri ?? '')?.[1] ?? 'None'
      if (securityMode === undefined) return []
      return [
        {
          url: each.endpointUrl ?? url,
          securityMode,
          securityPolicy,
          legacy: LEGACY_POLICIES.has(securityPolicy),
          known: (SECURITY_POLICIES as readonly string[]).includes(securityPolicy),
          level: each.securityLevel,
          identities: [...new Set((each.userIdentityTokens ?? []).map(({ tokenType }) => IDENTITIES[tokenType] ?? 'token'))],
        },
      ]
    })
    const chain = found.find(({ serverCertificate }) => serverCertificate?.length > 0)?.serverCertificate
    return {
      name: found[0]?.server?.applicationName?.text ?? '',
      endpoints: endpoints.sort(
        (a, b) =>
          MODES.indexOf(b.securityMode) - MODES.indexOf(a.securityMode) ||
          SECURITY_POLICIES.indexOf(a.securityPolicy as never) - SECURITY_POLICIES.indexOf(b.securityPolicy as never),
      ),
      certificate: chain === undefined ? undefined : await noteCertificate(pkiFolder, chain),
    }
  } catch (cause) {
    if (cause instanceof TaktError) throw cause
    throw new TaktError('TAKT_OPCUA_AWAY', { what: `${url} does not answer: ${messageOf(cause)}`, where, cause })
  } finally {
    clearTimeout(timer)
    await dispose(client)
  }
}
