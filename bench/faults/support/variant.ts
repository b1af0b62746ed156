import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'
import { packageRoot } from '../../../core/base/package-root.ts'
import { buildPalette } from '../../../scripts/build-palette.ts'

/** A change to one place of the source, made while a variant of the palette is built: the shipped code holds no switch for it. */
export interface Patch {
  /** Below the root, `core/store/inbox.ts`. */
  readonly file: string
  /** The text that is replaced; it must stand in the file exactly once. */
  readonly find: string
  readonly replace: string
}

/** Applies the patches of one file. Throws where the source has moved on and a patch would change nothing. */
export function patched(source: string, file: string, patches: readonly Patch[]): string {
  return patches.reduce((text, { find, replace }) => {
    const times = text.split(find).length - 1
    if (times !== 1) throw new Error(`${file}: the text to replace stands there ${times} times, not once: ${find}`)
    return text.replace(find, () => replace)
  }, source)
}

function patching(patches: readonly Patch[], applied: Set<string>): Plugin {
  return {
    name: 'takt-patches',
    setup(build) {
      for (const file of new Set(patches.map((patch) => patch.file))) {
        const filter = new RegExp(`${file.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)
        build.onLoad({ filter }, ({ path }) => {
          applied.add(file)
          return {
            contents: patched(
              readFileSync(path, 'utf8'),
              file,
              patches.filter((patch) => patch.file === file),
            ),
            loader: 'ts',
          }
        })
      }
    },
  }
}

/** The sink as a node, and processes of the harness that run on the built core, whose workers lie beside it. */
const ENTRIES = {
  'nodes/faults-sink/faults-sink': 'bench/faults/sink/faults-sink.ts',
  'faults/order-traffic': 'bench/faults/process/order-traffic.ts',
  'faults/open-damaged': 'bench/faults/process/open-damaged.ts',
}

/** Builds a palette with the harness's sink, patched or as it is, into `<parent>/<name>`, a package that Node-RED can load. */
export async function buildVariant(parent: string, name: string, patches: readonly Patch[] = []): Promise<string> {
  const folder = join(parent, name)
  mkdirSync(folder, { recursive: true })
  const applied = new Set<string>()
  const out = join(folder, 'dist')
  await buildPalette({ out, plugins: [patching(patches, applied)], entries: ENTRIES })
  const missing = patches.filter(({ file }) => !applied.has(file))
  if (missing.length > 0) throw new Error(`not part of the build: ${missing.map(({ file }) => file).join(', ')}`)
  cpSync(join(packageRoot, 'bench', 'faults', 'sink', 'faults-sink.html'), join(out, 'nodes', 'faults-sink', 'faults-sink.html'))
  const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { 'node-red': { nodes: Record<string, string> } }
  manifest['node-red'].nodes['faults-sink'] = 'dist/nodes/faults-sink/faults-sink.js'
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  symlinkSync(join(packageRoot, 'node_modules'), join(folder, 'node_modules'), 'dir')
  return folder
}
