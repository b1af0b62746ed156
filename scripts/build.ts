import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, build, type Metafile } from 'esbuild'
import { packageRoot } from '../core/base/package-root.ts'

/**
 * Makes `dist/`, what palette users install: one ESM file a node with shared code in chunks, worker threads, and beside each node its html (dialog with
 * the compiled editor script inlined), locales and icon, where Node-RED looks for them. Dependencies of package.json stay external; the rest is bundled.
 */

const WORKERS = ['core/store/sqlite-worker.ts', 'core/schedule/schedule-worker.ts']
const dist = join(packageRoot, 'dist')
/** Built beside, then swapped in, so that whoever reads `dist/` meanwhile finds the old or the new one whole. */
const draft = join(packageRoot, `dist.${process.pid}`)

const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
/** Node names by folder: `nodes/<name>/<name>.ts`. */
const nodes = readdirSync(join(packageRoot, 'nodes')).filter((name) => existsSync(join(packageRoot, 'nodes', name, `${name}.ts`)))

const common: BuildOptions = { bundle: true, logLevel: 'warning', legalComments: 'none', absWorkingDir: packageRoot }

async function buildRuntime(): Promise<Metafile> {
  const result = await build({
    ...common,
    entryPoints: Object.fromEntries([
      ...nodes.map((name) => [`nodes/${name}/${name}`, `nodes/${name}/${name}.ts`]),
      ...WORKERS.map((file) => [`workers/${file.slice(file.lastIndexOf('/') + 1, -'.ts'.length)}`, file]),
    ]),
    outdir: draft,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    external: Object.keys(manifest.dependencies),
    metafile: true,
    // bundled CommonJS (the embedded broker) asks for Node's own modules with require
    banner: { js: "import { createRequire as taktCreateRequire } from 'node:module'; const require = taktCreateRequire(import.meta.url);" },
  })
  return result.metafile
}

/** The dialog of a node: its template and its compiled script in one file, so that the editor never waits for a second request. */
async function buildEditor(name: string): Promise<void> {
  const folder = join(packageRoot, 'nodes', name)
  const template = readFileSync(join(folder, `${name}.html`), 'utf8')
  const script = await build({
    ...common,
    entryPoints: [join(folder, `${name}.editor.ts`)],
    write: false,
    platform: 'browser',
    target: 'es2020',
    format: 'iife',
    charset: 'utf8',
  })
  const code = (script.outputFiles[0]?.text ?? '').replaceAll('</script', '<\\/script')
  const out = join(draft, 'nodes', name)
  mkdirSync(join(out, 'icons'), { recursive: true })
  writeFileSync(join(out, `${name}.html`), `<script type="text/javascript">\n${code}</script>\n\n${template}`)
  cpSync(join(folder, 'locales'), join(out, 'locales'), { recursive: true })
  cpSync(join(packageRoot, 'icons', `${name}.svg`), join(out, 'icons', `${name}.svg`))
}

/** The licences of the packages whose code is inside the bundle. */
function writeNotices(metafile: Metafile): void {
  const packages = new Set<string>()
  for (const input of Object.keys(metafile.inputs)) {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)
    if (found?.[1] !== undefined) packages.add(found[1])
  }
  const notices = [...packages].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(packageRoot, folder, 'package.json'), 'utf8')) as Record<string, string>
    const file = readdirSync(join(packageRoot, folder)).find((entry) => /^licen[cs]e/i.test(entry))
    return `${name} ${version} (${license})\n\n${file === undefined ? '' : readFileSync(join(packageRoot, folder, file), 'utf8').trim()}\n`
  })
  writeFileSync(join(draft, 'THIRD-PARTY.txt'), `Packages whose code is part of this build.\n\n${notices.join(`\n${'-'.repeat(80)}\n\n`)}`)
}

try {
  writeNotices(await buildRuntime())
  await Promise.all(nodes.map(buildEditor))
  rmSync(dist, { recursive: true, force: true })
  renameSync(draft, dist)
  console.log(`built ${nodes.length} nodes into dist/`)
} finally {
  rmSync(draft, { recursive: true, force: true })
}
