import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep, win32 } from 'node:path'
import { TaktError } from '../base/error.ts'
import type { Report } from '../messages/report.ts'
import type { Store } from '../store/store.ts'
import type { FinishedReport } from './make-report.ts'

export interface Destination {
  /** Absolute path of the only folder that reports are written below. */
  readonly folder: string
  /** Path below it; the report's own name when undefined. The format's extension is added where it is missing. */
  readonly file: string | undefined
  readonly by: string
}

/**
 * Writes a report to a file (as a whole or not at all) and records it in the ledger as `report.written`. Returns its document, with the file's absolute path.
 * Throws TAKT_REPORT_PATH_REFUSED, TAKT_REPORT_UNWRITABLE.
 */
export async function writeReport(store: Store, report: FinishedReport, { folder, file, by }: Destination): Promise<Report> {
  const path = withExtension(pathBelow(folder, file ?? report.name), report.document.format)
  try {
    await mkdir(folder, { recursive: true })
    await refuseEscape(folder, dirname(path))
    await mkdir(dirname(path), { recursive: true })
    await replaceFile(path, report.text)
  } catch (cause) {
    if (cause instanceof TaktError) throw cause
    throw new TaktError('TAKT_REPORT_UNWRITABLE', { what: cause instanceof Error ? cause.message : String(cause), where: path, cause })
  }
  const document: Report = { ...report.document, file: path }
  await store.transaction((tx) => tx.record({ type: 'report.written', subject: document.subject || document.type, actor: by, after: document }))
  return document
}

function withExtension(file: string, format: Report['format']): string {
  return extname(file).toLowerCase() === `.${format}` ? file : `${file}.${format}`
}

const RESERVED = /[<>:"|?*]|\p{Cc}/u

/** A path below the folder. What names another place is refused, not bent into shape. */
export function pathBelow(folder: string, file: string): string {
  const refuse = (why: string): never => {
    throw new TaktError('TAKT_REPORT_PATH_REFUSED', { what: `'${file.slice(0, 200)}' ${why}`, where: folder })
  }
  const parts = file.split(/[\\/]/)
  if (isAbsolute(file) || win32.isAbsolute(file)) refuse('is an absolute path')
  if (parts.includes('..')) refuse('leads upwards')
  if (RESERVED.test(file)) refuse('has characters that file names cannot have everywhere')
  if (parts.some((part) => part === '' || part === '.' || part.endsWith(' ') || basename(part, extname(part)) === '')) refuse('is not a file name')
  const path = resolve(folder, ...parts)
  if (!isBelow(folder, path)) refuse('lies outside')
  return path
}

/** A link inside the folder may lead out of it; looked at before anything is made there. */
async function refuseEscape(folder: string, parent: string): Promise<void> {
  let existing = parent
  while (!existsSync(existing)) existing = dirname(existing)
  const [root, real] = await Promise.all([realpath(folder), realpath(existing)])
  if (real !== root && !isBelow(root, real)) throw new TaktError('TAKT_REPORT_PATH_REFUSED', { what: `'${existing}' is a link to ${real}`, where: folder })
}

function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

/** A crash leaves the old file or the new one. */
async function replaceFile(path: string, text: string): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.${randomUUID().slice(0, 8)}.new`)
  try {
    const file = await open(draft, 'wx', 0o640)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
