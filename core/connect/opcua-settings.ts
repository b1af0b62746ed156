export const SECURITY_MODES = ['None', 'Sign', 'SignAndEncrypt'] as const
export type OpcuaSecurityMode = (typeof SECURITY_MODES)[number]

/** Every policy that the library speaks (OPC 10000-7), the strongest first. */
export const SECURITY_POLICIES = ['None', 'Aes256_Sha256_RsaPss', 'Aes128_Sha256_RsaOaep', 'Basic256Sha256', 'Basic256', 'Basic128Rsa15'] as const
export type OpcuaSecurityPolicy = (typeof SECURITY_POLICIES)[number]
/** Withdrawn by the OPC Foundation because they rest on SHA-1: for servers that have nothing else. */
export const LEGACY_POLICIES: ReadonlySet<string> = new Set<OpcuaSecurityPolicy>(['Basic256', 'Basic128Rsa15'])

/** A person's or a machine's certificate to log in with; both as PEM. */
export interface UserCertificate {
  readonly certificate: string
  readonly key: string
}

export interface OpcuaSettings {
  /** `opc.tcp://host:4840/path` */
  readonly url: string
  readonly securityMode: OpcuaSecurityMode
  readonly securityPolicy: OpcuaSecurityPolicy
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Goes before user and password. */
  readonly userCertificate?: UserCertificate | undefined
  /** Trusts a server's certificate at first sight. */
  readonly acceptServerCertificate: boolean
  /** Own certificate and key, trusted and rejected servers. */
  readonly pkiFolder: string
  /** For errors: the node. */
  readonly where: string
  /** Opens nothing before `begin()`. */
  readonly waiting?: boolean
}
