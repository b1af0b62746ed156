import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'

/** TLS settings of a command line: the file with the certificate that the server's is signed by. */
export function tlsOf(ca: string | undefined): ConnectionOptions | undefined {
  return ca === undefined ? undefined : { ca: readFileSync(ca) }
}
