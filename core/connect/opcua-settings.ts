export const SECURITY_MODES = ['None', 'Sign', 'SignAndEncrypt'] as const
export type OpcuaSecurityMode = (typeof SECURITY_MODES)[number]
export const SECURITY_POLICIES = ['None', 'Basic256Sha256', 'Aes128_Sha256_RsaOaep', 'Aes256_Sha256_RsaPss'] as const
export type OpcuaSecurityPolicy = (typeof SECURITY_POLICIES)[number]

export interface OpcuaSettings {
  /** `opc.tcp://host:4840/path` */
  readonly url: string
  readonly securityMode: OpcuaSecurityMode
  readonly securityPolicy: OpcuaSecurityPolicy
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Trusts a server's certificate at first sight. */
  readonly acceptServerCertificate: boolean
  /** Own certificate and key, trusted and rejected servers. */
  readonly pkiFolder: string
  /** For errors: the node. */
  readonly where: string
  /** Opens nothing before `begin()`. */
  readonly waiting?: boolean
}
