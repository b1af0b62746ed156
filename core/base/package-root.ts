import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) throw new Error(`package.json not found above ${fileURLToPath(import.meta.url)}`)
    folder = parent
  }
  return folder
}

/** The folder of Takt's package.json, in a checkout as in an installed palette. */
export const packageRoot: string = findRoot()

const runsFromSource = import.meta.url.endsWith('.ts')

/**
 * The file a worker thread starts with. `source` is its path below the root, `core/store/sqlite-worker.ts`:
 * source runs as it is, a build finds it as `dist/workers/sqlite-worker.js`.
 */
export function workerUrl(source: `core/${string}.ts`): URL {
  if (runsFromSource) return pathToFileURL(join(packageRoot, source))
  const name = source.slice(source.lastIndexOf('/') + 1).replace(/\.ts$/, '.js')
  return pathToFileURL(join(packageRoot, 'dist', 'workers', name))
}
