import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../core/base/package-root.ts'
import { buildPalette } from './build-palette.ts'

/**
 * Makes `dist/`, what palette users install: one ESM file a node with shared code in chunks, worker threads, and beside each node its html (dialog with
 * the compiled editor script inlined), locales and icon, where Node-RED looks for them. Dependencies of package.json stay external; the rest is bundled.
 */

const dist = join(packageRoot, 'dist')
/** Built beside, then swapped in, so that whoever reads `dist/` meanwhile finds the old or the new one whole. */
const draft = join(packageRoot, `dist.${process.pid}`)

try {
  const nodes = await buildPalette({ out: draft })
  rmSync(dist, { recursive: true, force: true })
  renameSync(draft, dist)
  console.log(`built ${nodes.length} nodes into dist/`)
} finally {
  rmSync(draft, { recursive: true, force: true })
}
