import { readFile, realpath, stat } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { TaktError } from '../../base/error.ts'

const MAX_BYTES = 50_000_000

/**
 * The text of a file of orders in the folder that people allow it from: no other file of this computer can be read by sending its name.
 * Throws TAKT_IMPORT_FILE.
 */
export async function readImportFile(name: string, folder: string | undefined, where: string): Promise<string> {
  if (folder === undefined) throw new TaktError('TAKT_IMPORT_FILE', { what: `'${name}' is not read: no import folder is set`, where })
  try {
    const root = await realpath(folder)
    // a link inside the folder must not lead out of it either
    const file = await realpath(resolve(root, name))
    if (!file.startsWith(root + sep)) throw new TaktError('TAKT_IMPORT_FILE', { what: `'${name}' lies outside the import folder`, where })
    const { size } = await stat(file)
    if (size > MAX_BYTES) throw new TaktError('TAKT_MESSAGE_TOO_LARGE', { what: `'${name}' has ${size} bytes where at most ${MAX_BYTES} are taken`, where })
    return await readFile(file, 'utf8')
  } catch (thrown) {
    if (thrown instanceof TaktError) throw thrown
    throw new TaktError('TAKT_IMPORT_FILE', {
      what: `'${name}' cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      where,
      cause: thrown,
    })
  }
}
