import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'
import { packageRoot } from '../core/base/package-root.ts'

/** What the fault harness adds to a build; a build to ship has none of it. */
export interface PaletteBuild {
  /** The folder that becomes `dist/`; must not exist, or be empty. */
  readonly out: string
  readonly plugins?: readonly Plugin[]
  /** More runtime files by name, `nodes/x/x` → `bench/…/x.ts`; they share the palette's chunks. */
  readonly entries?: Readonly<Record<string, string>>
}

const WORKERS = [
  'core/store/sqlite-worker.ts',
  'core/store/verify-worker.ts',
  'core/store/backup-worker.ts',
  'core/schedule/schedule-worker.ts',
  'core/schedule/lookahead/lookahead-worker.ts',
]

/** Commands that a plant needs too, which has the package and not its source: `node …/dist/scripts/people.js`. */
const SCRIPTS = ['people', 'ledger-key', 'verify-ledger', 'backup', 'restore', 'archive']

const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
/** Node names by folder: `nodes/<name>/<name>.ts`. */
const nodes = readdirSync(join(packageRoot, 'nodes')).filter((name) => existsSync(join(packageRoot, 'nodes', name, `${name}.ts`)))

const common: BuildOptions = { bundle: true, logLevel: 'warning', legalComments: 'none', absWorkingDir: packageRoot }

/** Builds the palette into a folder; the names of its nodes. */
export async function buildPalette(options: PaletteBuild): Promise<readonly string[]> {
  writeNotices(await buildRuntime(options), options.out)
  await Promise.all(nodes.map((name) => buildEditor(name, options.out)))
  return nodes
}

async function buildRuntime({ out, plugins = [], entries = {} }: PaletteBuild): Promise<Metafile> {
  const result = await build({
    ...common,
    entryPoints: Object.fromEntries([
      ...nodes.map((name) => [`nodes/${name}/${name}`, `nodes/${name}/${name}.ts`]),
      ...WORKERS.map((file) => [`workers/${file.slice(file.lastIndexOf('/') + 1, -'.ts'.length)}`, file]),
      ['plugins/people', 'nodes/shared/people-plugin.ts'],
      ...SCRIPTS.map((name) => [`scripts/${name}`, `scripts/${name}.ts`]),
      ...Object.entries(entries),
    ]),
    outdir: out,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    external: Object.keys(manifest.dependencies),
    plugins: [...plugins],
    metafile: true,
    // bundled CommonJS (the embedded broker) asks for Node's own modules with require
    banner: { js: "import { createRequire as taktCreateRequire } from 'node:module'; const require = taktCreateRequire(import.meta.url);" },
  })
  return result.metafile
}

/** The dialog of a node: its template and its compiled script in one file, so that the editor never waits for a second request. */
async function buildEditor(name: string, dist: string): Promise<void> {
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
  const out = join(dist, 'nodes', name)
  mkdirSync(join(out, 'icons'), { recursive: true })
  writeFileSync(join(out, `${name}.html`), `<script type="text/javascript">\n${code}</script>\n\n${template}`)
  cpSync(join(folder, 'locales'), join(out, 'locales'), { recursive: true })
  cpSync(join(packageRoot, 'icons', `${name}.svg`), join(out, 'icons', `${name}.svg`))
}

/** The licences of the packages whose code is inside the bundle. */
function writeNotices(metafile: Metafile, dist: string): void {
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
  writeFileSync(join(dist, 'THIRD-PARTY.txt'), `Packages whose code is part of this build.\n\n${notices.join(`\n${'-'.repeat(80)}\n\n`)}`)
}
