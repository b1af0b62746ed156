import { join } from 'node:path'
import { OPCUACertificateManager } from 'node-opcua'
import type { TlsFiles } from './mosquitto.ts'

/** A key and a certificate for 127.0.0.1, made by the tool that OPC UA needs anyway. */
export async function selfSigned(rootFolder: string): Promise<TlsFiles> {
  const manager = new OPCUACertificateManager({ rootFolder, disableFileWatchers: true })
  await manager.initialize()
  const certificate = join(rootFolder, 'server.pem')
  await manager.createSelfSignedCertificate({
    applicationUri: 'urn:takt:test',
    dns: ['localhost'],
    ip: ['127.0.0.1'],
    subject: '/CN=localhost',
    startDate: new Date(Date.now() - 86_400_000),
    validity: 2,
    outputFile: certificate,
  })
  await manager.dispose()
  return { certificate, key: join(rootFolder, 'own', 'private', 'private_key.pem') }
}
