import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { packageRoot } from '../../core/base/package-root.ts'

/** Rooms of core and what each may import besides itself: the loop's later stages know the earlier ones, never the other way. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  base: [],
  messages: ['base'],
  plant: ['messages', 'base'],
  store: ['plant', 'messages', 'base'],
  connect: ['signal', 'store', 'plant', 'messages', 'base'],
  signal: ['store', 'plant', 'messages', 'base'],
  detect: ['signal', 'store', 'plant', 'messages', 'base'],
  schedule: ['plant', 'messages', 'base'],
  orders: ['schedule', 'connect', 'signal', 'store', 'plant', 'messages', 'base'],
  quality: ['orders', 'store', 'plant', 'messages', 'base'],
  trace: ['sign', 'people', 'orders', 'store', 'plant', 'messages', 'base'],
  erp: ['trace', 'orders', 'store', 'plant', 'messages', 'base'],
  kpi: ['orders', 'signal', 'store', 'plant', 'messages', 'base'],
  people: ['store', 'plant', 'messages', 'base'],
  procedures: ['sign', 'people', 'quality', 'orders', 'store', 'plant', 'messages', 'base'],
  sign: ['people', 'store', 'plant', 'messages', 'base'],
  report: ['procedures', 'sign', 'people', 'quality', 'trace', 'kpi', 'orders', 'schedule', 'detect', 'signal', 'store', 'plant', 'messages', 'base'],
  // the simulated plant shares no code with what it tests beyond words and tools
  simulate: ['plant', 'messages', 'base'],
}

interface Import {
  readonly from: string
  readonly to: string
}

function importsOf(pattern: string): Import[] {
  return globSync(pattern, { cwd: packageRoot }).flatMap((file) => {
    const text = readFileSync(join(packageRoot, file), 'utf8')
    return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) => ({
      from: file,
      to: relative(packageRoot, join(packageRoot, dirname(file), match[1]!)),
    }))
  })
}

describe('imports run one way', () => {
  it('core never imports nodes, tests or scripts', () => {
    const wrong = importsOf('core/**/*.ts').filter(({ to }) => !to.startsWith('core/'))
    assert.deepEqual(wrong, [])
  })

  it('core never imports Node-RED', () => {
    const wrong = globSync('core/**/*.ts', { cwd: packageRoot }).filter((file) =>
      /from '(@node-red|node-red)/.test(readFileSync(join(packageRoot, file), 'utf8')),
    )
    assert.deepEqual(wrong, [])
  })

  it('inside core, later stages import earlier ones', () => {
    const wrong = importsOf('core/**/*.ts').filter(({ from, to }) => {
      const [, room = ''] = from.split('/')
      const [, other = ''] = to.split('/')
      return room !== other && !(MAY_IMPORT[room] ?? []).includes(other)
    })
    assert.deepEqual(wrong, [])
  })

  it('every room of core is in the table', () => {
    const rooms = new Set(globSync('core/*/*.ts', { cwd: packageRoot }).map((file) => file.split('/')[1]!))
    assert.deepEqual(
      [...rooms].filter((room) => !(room in MAY_IMPORT)),
      [],
    )
  })

  it('a node imports core and what nodes share; of another node only its types', () => {
    const wrong = globSync('nodes/*/*.ts', { cwd: packageRoot }).flatMap((file) => {
      const [, own = ''] = file.split('/')
      const text = readFileSync(join(packageRoot, file), 'utf8')
      return [...text.matchAll(/import (type )?[^;']*? from '(\.[^']+)'/g)]
        .map((match) => ({ from: file, to: relative(packageRoot, join(packageRoot, dirname(file), match[2]!)), type: match[1] !== undefined }))
        .filter(({ to, type }) => !to.startsWith('core/') && !to.startsWith(`nodes/${own}/`) && !to.startsWith('nodes/shared/') && !type)
    })
    assert.deepEqual(wrong, [])
  })
})
