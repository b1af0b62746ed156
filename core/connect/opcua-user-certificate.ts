import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { TaktError } from '../base/error.ts'
import type { UserCertificate } from './opcua-settings.ts'

export interface UserCertificateFields {
  /** PEM, or the path of a PEM file. */
  readonly certificate: string
  readonly key: string
  readonly passphrase?: string | undefined
}

/** Reads a certificate and its key, and sees that they belong together. Throws TAKT_OPCUA_USER_CERTIFICATE. */
export function readUserCertificate({ certificate, key, passphrase }: UserCertificateFields, where: string): UserCertificate {
  const refuse = (what: string, cause?: unknown): TaktError => new TaktError('TAKT_OPCUA_USER_CERTIFICATE', { what, where, cause })
  const pem = (given: string, what: string): string => {
    const text = given.trim()
    if (text === '') throw refuse(`the ${what} is missing`)
    if (text.startsWith('-----BEGIN')) return text
    try {
      return readFileSync(text, 'utf8')
    } catch (cause) {
      throw refuse(`the ${what} is neither PEM nor a file that can be read: ${text.slice(0, 200)}`, cause)
    }
  }
  const certificatePem = pem(certificate, 'certificate')
  const keyPem = pem(key, 'key')
  let known: X509Certificate
  try {
    known = new X509Certificate(certificatePem)
  } catch (cause) {
    throw refuse('the certificate cannot be read', cause)
  }
  try {
    const privateKey = createPrivateKey({ key: keyPem, ...(passphrase === undefined || passphrase === '' ? {} : { passphrase }) })
    if (!known.checkPrivateKey(privateKey)) throw refuse('the key does not belong to the certificate')
    return { certificate: certificatePem, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }
  } catch (cause) {
    if (cause instanceof TaktError) throw cause
    throw refuse('the key cannot be read; if it is encrypted, its passphrase is wrong or missing', cause)
  }
}
