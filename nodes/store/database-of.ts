import { join, resolve } from 'node:path'
import type { Node, NodeAPI } from 'node-red'
import { TaktError } from '../../core/base/error.ts'
import type { FileStoreOptions, ServerStoreOptions } from '../../core/store/open-store.ts'
import { anchorName, postgresTarget } from '../../core/store/postgres-target.ts'
import { nameOf } from '../shared/define-node.ts'
import { expandEnv } from '../shared/expand-env.ts'
import type { StoreConfig, StoreNode } from './store.ts'

/** A database that a store node names. */
export interface Database {
  /** Two nodes with the same name share one store. */
  readonly name: string
  readonly where: Pick<FileStoreOptions, 'file'> | Pick<ServerStoreOptions, 'postgres'>
  /** Real ms until it is tried again when it could not be opened or written. */
  readonly retryMs: number
}

interface TlsConfigNode extends Node {
  addTLSOptions(options: Record<string, unknown>): unknown
}

const FOLDER = 'takt'
const DEFAULT_FILE = join(FOLDER, 'takt.db')
const FILE_RETRY_MS = 5000
/** A server that was away is used again soon after it is back. */
const SERVER_RETRY_MS = 500

/** Throws TAKT_CONFIG_INVALID. */
export function databaseOf(RED: NodeAPI, node: StoreNode, config: StoreConfig): Database {
  if (config.database === 'postgres') return serverOf(RED, node, config)
  const configured = expandEnv(RED, node, config.file?.trim() ?? '', 'the file') || DEFAULT_FILE
  const file = configured === ':memory:' ? configured : resolve(folderOf(RED), configured)
  return { name: file, where: { file }, retryMs: FILE_RETRY_MS }
}

function serverOf(RED: NodeAPI, node: StoreNode, config: StoreConfig): Database {
  const where = nameOf(node)
  const typed = config.url?.trim() ?? ''
  if (typed === '') throw new TaktError('TAKT_CONFIG_INVALID', { what: 'the address of the database server is missing', where })
  // a password in it came from the environment: the dialog takes none
  const expand = (text: string | undefined, what: string): string | undefined => expandEnv(RED, node, text?.trim() ?? '', what) || undefined
  const login = {
    url: expand(typed, 'the address') ?? '',
    user: expand(node.credentials?.user, 'the user'),
    password: expand(node.credentials?.password, 'the password'),
    tls: tlsOf(RED, config.tls, where),
  }
  const target = postgresTarget(login, where)
  const anchor = join(folderOf(RED), FOLDER, anchorName(target))
  return { name: target.name, where: { postgres: { ...login, anchor } }, retryMs: SERVER_RETRY_MS }
}

function tlsOf(RED: NodeAPI, id: string | undefined, where: string): Record<string, unknown> | undefined {
  if (!id) return undefined
  const node = RED.nodes.getNode(id) as TlsConfigNode | null
  if (node === null) throw new TaktError('TAKT_CONFIG_INVALID', { what: 'the TLS settings are missing or disabled', where })
  const options: Record<string, unknown> = {}
  node.addTLSOptions(options)
  return options
}

function folderOf(RED: NodeAPI): string {
  return RED.settings.userDir ?? process.cwd()
}
