import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject, sign, verify } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { TaktError } from '../base/error.ts'

/**
 * The key that signs heads of the ledger and electronic signatures: Ed25519 (RFC 8032), kept in a file outside the database, so that who can write the database
 * cannot write what this key says.
 */
export interface SigningKey {
  /** Names the key: the first 16 hex digits of SHA-256 over its public half (SubjectPublicKeyInfo, DER). */
  readonly id: string
  /** The public half, PEM: all that a check needs. */
  readonly publicKey: string
  /** The signature of a text, base64. */
  sign(text: string): string
}

/** Reads a private key in PEM. Throws TAKT_LEDGER_KEY, which never holds what the file holds. */
export function readSigningKey(path: string): SigningKey {
  return signingKey(keyOf(path, createPrivateKey), path)
}

/** Reads the public half, from a file with it or with the private key. Throws TAKT_LEDGER_KEY. */
export function readPublicKey(path: string): string {
  return pemOf(keyOf(path, createPublicKey))
}

function signingKey(key: KeyObject, path: string): SigningKey {
  const publicKey = createPublicKey(key)
  if (key.asymmetricKeyType !== 'ed25519')
    throw new TaktError('TAKT_LEDGER_KEY', { what: `it is a key for ${key.asymmetricKeyType}, not Ed25519`, where: path })
  return { id: keyId(pemOf(publicKey)), publicKey: pemOf(publicKey), sign: (text) => sign(null, Buffer.from(text), key).toString('base64') }
}

function keyOf(path: string, read: (pem: Buffer) => KeyObject): KeyObject {
  let pem: Buffer
  try {
    pem = readFileSync(path)
  } catch (error) {
    const { code } = error as { code?: unknown }
    throw new TaktError('TAKT_LEDGER_KEY', {
      what: code === 'ENOENT' ? 'there is no such key file' : `the key file cannot be read (${String(code)})`,
      where: path,
    })
  }
  try {
    return read(pem)
  } catch {
    // the library's message may quote the file
    throw new TaktError('TAKT_LEDGER_KEY', { what: 'the file holds no key in PEM that is not encrypted', where: path })
  }
}

/** Makes a key: the private half for its owner alone in `path`, the public half in `path.pub`. Throws TAKT_LEDGER_KEY where there is one already. */
export function makeSigningKey(path: string): SigningKey {
  const { privateKey } = generateKeyPairSync('ed25519')
  try {
    writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    const { code } = error as { code?: unknown }
    const what = code === 'EEXIST' ? 'there is a file already, and a key is never replaced by this' : `the key cannot be written (${String(code)})`
    throw new TaktError('TAKT_LEDGER_KEY', { what, where: path })
  }
  const made = signingKey(privateKey, path)
  writeFileSync(`${path}.pub`, made.publicKey)
  return made
}

/** True when the text was signed by the key with this public half. */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  try {
    return verify(null, Buffer.from(text), publicKey, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}

export function keyId(publicKey: string): string {
  return hash('sha256', createPublicKey(publicKey).export({ type: 'spki', format: 'der' })).slice(0, 16)
}

function pemOf(key: KeyObject): string {
  return String(key.export({ type: 'spki', format: 'pem' }))
}
