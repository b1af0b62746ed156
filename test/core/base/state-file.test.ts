import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StateFile } from '../../../core/base/state-file.ts'

describe('StateFile', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-state-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('gives back what was saved, and nothing else stays in the folder', () => {
    const file = new StateFile(join(folder, 'deep', 'a.json'))
    assert.equal(file.load(), undefined)
    file.save({ a: 1 })
    file.save({ a: 2 })
    assert.deepEqual(file.load(), { a: 2 })
    assert.deepEqual(readdirSync(join(folder, 'deep')), ['a.json'])
    file.remove()
    assert.equal(file.load(), undefined)
  })

  it('takes a damaged file for none', () => {
    writeFileSync(join(folder, 'a.json'), '{"a":')
    assert.equal(new StateFile(join(folder, 'a.json')).load(), undefined)
  })
})
