import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StateFile } from '../../../core/connect/state-file.ts'

describe('StateFile', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-state-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('gives back what was saved last, to another process too, and leaves nothing beside it', async () => {
    const path = join(folder, 'deep', 'state.json')
    const file = new StateFile(path)
    assert.equal(await file.load(), undefined)
    await Promise.all([file.save({ a: 1 }), file.save({ a: 2 }), file.save({ a: 3 })])
    assert.deepEqual(await new StateFile(path).load(), { a: 3 })
    assert.deepEqual(readdirSync(join(folder, 'deep')), ['state.json'])
  })

  it('has nothing where a file cannot be read, and says when it cannot be written, each time', async () => {
    const path = join(folder, 'state.json')
    writeFileSync(path, '{"half":')
    assert.equal(await new StateFile(path).load(), undefined)
    writeFileSync(join(folder, 'file'), '')
    const blocked = new StateFile(join(folder, 'file', 'state.json'))
    await assert.rejects(blocked.save(1))
    await assert.rejects(blocked.save(2))
  })
})
