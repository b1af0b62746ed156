import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NodeAPI } from 'node-red'
import registerPlant, { type PlantNode } from '../../nodes/plant/plant.ts'
import { requireConfigNode } from '../../nodes/shared/lookup.ts'
import { helper, loadFlow } from './support/helper.ts'

const model = 'plant: acme\nequipment:\n  - { id: acme/u, level: workUnit }\n'

describe('plant node', () => {
  let api: NodeAPI
  const captureApi = (RED: NodeAPI): void => {
    api = RED
  }
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'takt-plant-'))
  })
  afterEach(async () => {
    await helper.unload()
    rmSync(folder, { recursive: true, force: true })
  })

  const load = async (properties: Record<string, unknown>): Promise<PlantNode> => {
    const node = await loadFlow([registerPlant, captureApi], [{ id: 'a1', type: 'takt-plant', name: 'Berlin', clock: 'system', ...properties }])
    return node('a1') as PlantNode
  }

  it('gives the model that was typed in', async () => {
    const node = await load({ source: 'inline', model })
    assert.deepEqual(
      node.plant().units.map((unit) => unit.id),
      ['acme/u'],
    )
  })

  it('takes a changed file without a deploy, and keeps the last good one while a change is bad', async () => {
    const file = join(folder, 'plant.yaml')
    writeFileSync(file, model)
    const node = await load({ source: 'file', file })
    const reloaded = new Promise<void>((resolve) => node.onReload(() => resolve()))
    writeFileSync(file, 'plant: acme\nequipment: 7\n')
    await new Promise((resolve) => setTimeout(resolve, 400))
    assert.equal(node.plant().units.length, 1)
    writeFileSync(file, `${model}  - { id: acme/v, level: workUnit }\n`)
    await reloaded
    assert.equal(node.plant().units.length, 2)
  })

  it('throws the coded error to whoever asks while there is no good model', async () => {
    const node = await load({ source: 'inline', model: 'plant: acme\nequipment:\n  - { id: other/u, level: workUnit }\n' })
    assert.throws(() => node.plant(), { code: 'TAKT_PLANT_INVALID' })
    await helper.unload()
    const absent = await load({ source: 'file', file: join(folder, 'none.yaml') })
    assert.throws(() => absent.plant(), { code: 'TAKT_PLANT_UNREADABLE' })
  })

  it('owns the clock: fixed by its setting, or set by a simulator', async () => {
    const fixed = await load({ source: 'inline', model, clock: `5000000@${Date.now()}x60` })
    assert.ok(fixed.clock.now() >= 5_000_000 && fixed.clock.now() < 5_600_000)
    assert.throws(() => fixed.setClock({ plant: 0, real: 0, rate: 1 }), { code: 'TAKT_CONFIG_INVALID' })
    await helper.unload()
    const simulated = await load({ source: 'inline', model, clock: 'simulator' })
    simulated.setClock({ plant: 42, real: Date.now(), rate: 0 })
    assert.equal(simulated.clock.now(), 42)
  })

  it('refuses a clock it cannot read', async () => {
    const node = await load({ source: 'inline', model, clock: 'sundial' })
    assert.throws(() => requireConfigNode(api, node, 'a1', 'plant'), { code: 'TAKT_CONFIG_INVALID', message: /sundial/ })
  })
})
