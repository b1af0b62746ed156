import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const PALETTE = 'node-red-contrib-opcua'
const LONGEST_MS = 300_000

/** The OPC UA palette that most people use, installed for one comparison and removed again. */
export interface ContribPalette {
  /** Its `node_modules`. */
  readonly modules: string
  remove(): void
}

/** Installs it into a folder of its own. Rejects where there is no registry to install it from. */
export async function installContrib(): Promise<ContribPalette> {
  const folder = mkdtempSync(join(tmpdir(), 'takt-contrib-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    await promisify(execFile)('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', PALETTE], {
      cwd: folder,
      timeout: LONGEST_MS,
    })
    return { modules: join(folder, 'node_modules'), remove }
  } catch (error) {
    remove()
    throw new Error(`${PALETTE} could not be installed`, { cause: error })
  }
}
