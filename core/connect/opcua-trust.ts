import { X509Certificate } from 'node:crypto'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { TaktError } from '../base/error.ts'

/** A certificate as a person compares it. */
export interface CertificateFacts {
  /** SHA-1 in hex, the name that OPC UA tools give a certificate. */
  readonly thumbprint: string
  readonly sha256: string
  readonly subject: string
  readonly issuer: string
  readonly applicationUri: string | undefined
  /** Epoch ms. */
  readonly validFrom: number
  readonly validTo: number
}

export interface ServerCertificate extends CertificateFacts {
  readonly trusted: boolean
  readonly file: string
}

export interface TrustList {
  readonly folder: string
  /** Ours, for the server's administrator; `undefined` before the first secure connection. */
  readonly own: (CertificateFacts & { readonly file: string }) | undefined
  readonly servers: readonly ServerCertificate[]
}

const OWN = ['own', 'certs', 'client_certificate.pem'] as const
const TRUSTED = ['trusted', 'certs'] as const
const REJECTED = ['rejected'] as const

export function ownCertificateFile(pkiFolder: string): string {
  return join(pkiFolder, ...OWN)
}

/** What lies in the folders of certificates; files that are none are passed over. */
export async function readTrust(pkiFolder: string): Promise<TrustList> {
  const own = await factsOfFile(ownCertificateFile(pkiFolder))
  const trusted = await certificatesIn(join(pkiFolder, ...TRUSTED), true)
  const known = new Set(trusted.map(({ thumbprint }) => thumbprint))
  const rejected = (await certificatesIn(join(pkiFolder, ...REJECTED), false)).filter(({ thumbprint }) => !known.has(thumbprint))
  return { folder: pkiFolder, own, servers: [...rejected, ...trusted] }
}

/** Moves what was seen and put aside to what is trusted. Throws TAKT_OPCUA_CERTIFICATE_UNKNOWN where no certificate with this thumbprint was seen. */
export async function trustCertificate(pkiFolder: string, thumbprint: string): Promise<ServerCertificate> {
  return move(pkiFolder, thumbprint, REJECTED, TRUSTED, true)
}

/** The other way round. */
export async function distrustCertificate(pkiFolder: string, thumbprint: string): Promise<ServerCertificate> {
  return move(pkiFolder, thumbprint, TRUSTED, REJECTED, false)
}

/** Puts a certificate that a server showed aside, as a connection would, unless it is known. `chain` is DER; the server's own comes first. */
export async function noteCertificate(pkiFolder: string, chain: Buffer): Promise<CertificateFacts> {
  const certificate = new X509Certificate(chain)
  const facts = factsOf(certificate)
  const { servers } = await readTrust(pkiFolder)
  if (servers.some(({ thumbprint }) => thumbprint === facts.thumbprint)) return facts
  const folder = join(pkiFolder, ...REJECTED)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, `${nameOf(facts)}[${facts.thumbprint}].pem`), certificate.toString())
  return facts
}

export function factsOf(certificate: X509Certificate): CertificateFacts {
  return {
    thumbprint: certificate.fingerprint.replaceAll(':', '').toLowerCase(),
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    subject: certificate.subject.replaceAll('\n', ', '),
    issuer: certificate.issuer.replaceAll('\n', ', '),
    applicationUri: /URI:([^,]+)/.exec(certificate.subjectAltName ?? '')?.[1],
    validFrom: Date.parse(certificate.validFrom),
    validTo: Date.parse(certificate.validTo),
  }
}

async function move(pkiFolder: string, thumbprint: string, from: readonly string[], to: readonly string[], trusted: boolean): Promise<ServerCertificate> {
  const wanted = thumbprint.trim().toLowerCase()
  const found = (await certificatesIn(join(pkiFolder, ...from), !trusted)).find((each) => each.thumbprint === wanted)
  if (found === undefined)
    throw new TaktError('TAKT_OPCUA_CERTIFICATE_UNKNOWN', {
      what: `no certificate with thumbprint ${wanted.slice(0, 80)} lies in ${join(pkiFolder, ...from)}`,
      where: pkiFolder,
    })
  const folder = join(pkiFolder, ...to)
  await mkdir(folder, { recursive: true })
  const file = join(folder, basename(found.file))
  await rename(found.file, file)
  return { ...found, trusted, file }
}

async function certificatesIn(folder: string, trusted: boolean): Promise<ServerCertificate[]> {
  const names = await readdir(folder).catch(() => [])
  const found: ServerCertificate[] = []
  for (const name of names) {
    const facts = await factsOfFile(join(folder, name))
    if (facts !== undefined) found.push({ ...facts, trusted })
  }
  return found
}

async function factsOfFile(file: string): Promise<(CertificateFacts & { readonly file: string }) | undefined> {
  try {
    return { ...factsOf(new X509Certificate(await readFile(file))), file }
  } catch {
    return undefined
  }
}

function nameOf({ subject }: CertificateFacts): string {
  return (/CN=([^,]+)/.exec(subject)?.[1] ?? 'server').replace(/[^\w.-]+/g, '_').slice(0, 60)
}
