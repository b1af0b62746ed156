import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ERROR_CODES } from '../../core/base/error-codes.ts'
import { packageRoot } from '../../core/base/package-root.ts'

/** What the community's scorecard asks of a palette, and what this house asks of itself. */

const read = (file: string): string => readFileSync(join(packageRoot, file), 'utf8')
const manifest = JSON.parse(read('package.json'))
const nodes: string[] = Object.keys(manifest['node-red'].nodes)

interface FlowNode {
  readonly id: string
  readonly type: string
}
const examples = globSync('examples/**/*.json', { cwd: packageRoot }).map((file) => ({ file, flow: JSON.parse(read(file)) as FlowNode[] }))

describe('the package', () => {
  it('names licence, repository, keyword and the versions it runs on', () => {
    assert.equal(manifest.license, 'Apache-2.0')
    assert.ok(existsSync(join(packageRoot, 'LICENSE')))
    assert.ok(manifest.repository.url && manifest.bugs.url)
    assert.match(manifest.name, /^@[a-z-]+\//)
    assert.ok(manifest.keywords.includes('node-red'))
    assert.equal(manifest['node-red'].version, '>=4.1.0')
    assert.equal(manifest.engines.node, '>=22.13')
  })

  it('has at most six runtime dependencies and none that compiles on install', () => {
    assert.ok(Object.keys(manifest.dependencies).length <= 6)
    const compiled = Object.keys(manifest.dependencies).filter((name) => existsSync(join(packageRoot, 'node_modules', name, 'binding.gyp')))
    assert.deepEqual(compiled, [])
  })

  it('locks every package with integrity and without the address of a registry', () => {
    const lock = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { resolved?: string; integrity?: string; link?: boolean; inBundle?: boolean }>
    }
    const addressed = Object.entries(lock.packages).filter(([, entry]) => /^https?:/.test(entry.resolved ?? ''))
    assert.deepEqual(addressed, [])
    const unlocked = Object.entries(lock.packages).filter(
      ([path, entry]) => path.includes('node_modules/') && !entry.link && !entry.inBundle && !entry.integrity,
    )
    assert.deepEqual(
      unlocked.map(([path]) => path),
      [],
    )
  })

  it('lists every node folder, and only those', () => {
    const folders = readdirSync(join(packageRoot, 'nodes')).filter((name) => existsSync(join(packageRoot, 'nodes', name, `${name}.ts`)))
    assert.deepEqual(nodes.toSorted(), folders.toSorted())
    for (const [name, file] of Object.entries(manifest['node-red'].nodes)) assert.equal(file, `dist/nodes/${name}/${name}.js`)
  })
})

for (const name of nodes) {
  describe(`node ${name}`, () => {
    const folder = join('nodes', name)

    it('has a dialog, an editor half, labels, help, an icon and a test', () => {
      for (const file of [`${name}.html`, `${name}.editor.ts`, `locales/en-US/${name}.json`, `locales/en-US/${name}.html`])
        assert.ok(existsSync(join(packageRoot, folder, file)), file)
      assert.ok(existsSync(join(packageRoot, 'icons', `${name}.svg`)), 'icon')
      assert.ok(existsSync(join(packageRoot, 'test/nodes', `${name}.test.ts`)), 'test')
    })

    it('registers one type, takt-<folder>, in both halves', () => {
      assert.match(read(join(folder, `${name}.ts`)), new RegExp(`type: 'takt-${name}'`))
      assert.match(read(join(folder, `${name}.editor.ts`)), new RegExp(`registerType(<[^(]*>)?\\(\\s*'takt-${name}'`))
      assert.match(read(join(folder, `${name}.html`)), new RegExp(`data-template-name="takt-${name}"`))
    })

    it('has every label that its dialog asks for', () => {
      const labels = JSON.parse(read(join(folder, `locales/en-US/${name}.json`)))
      const asked = [...read(join(folder, `${name}.html`)).matchAll(/data-i18n="(?:\[[a-z]+\])?([^"]+)"/g)].map((match) => match[1]!)
      const editor = [...read(join(folder, `${name}.editor.ts`)).matchAll(/_\('([^']+)'/g)].map((match) => match[1]!)
      const missing = [...asked, ...editor].filter(
        (key) => key.startsWith(`${name}.`) && key.split('.').reduce((value, part) => value?.[part], labels) === undefined,
      )
      assert.deepEqual(missing, [])
      assert.deepEqual(
        asked.filter((key) => !key.startsWith(`${name}.`)),
        [],
      )
    })

    it('explains itself', () => {
      const help = read(join(folder, `locales/en-US/${name}.html`))
      assert.match(help, new RegExp(`data-help-name="takt-${name}"`))
      assert.match(help, /<h3>Details<\/h3>/)
    })

    it('stands in an example', () => {
      assert.ok(examples.some(({ flow }) => flow.some((node) => node.type === `takt-${name}`)))
    })

    it('stays thin', () => {
      const lines = read(join(folder, `${name}.ts`)).split('\n').length
      assert.ok(lines <= 220, `${lines} lines: something is missing in core`)
    })
  })
}

describe('the examples', () => {
  for (const { file, flow } of examples) {
    it(`${file} has unique ids, and hex ids for config nodes`, () => {
      const ids = flow.map((node) => node.id)
      assert.equal(new Set(ids).size, ids.length)
      const configs = flow.filter((node) => !('z' in node) && node.type !== 'tab' && node.type !== 'subflow' && !('x' in node))
      assert.deepEqual(
        configs.filter((node) => !/^[0-9a-f]+$/.test(node.id)).map((node) => `${node.type} ${node.id}`),
        [],
      )
    })
  }
})

describe('the error table', () => {
  const source = globSync('{core,nodes}/**/*.ts', { cwd: packageRoot })
    .filter((file) => !file.endsWith('error-codes.ts'))
    .map((file) => read(file))
    .join('\n')

  it('has no code that nothing raises', () => {
    assert.deepEqual(
      Object.keys(ERROR_CODES).filter((code) => !source.includes(`'${code}'`)),
      [],
    )
  })

  it('says what and what to do for each', () => {
    for (const [code, entry] of Object.entries(ERROR_CODES)) {
      assert.ok(entry.what.length > 10 && entry.remedy.length > 10, code)
      assert.match(code, /^TAKT_[A-Z][A-Z0-9_]+$/)
    }
  })
})
