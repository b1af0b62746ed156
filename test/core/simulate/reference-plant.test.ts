import assert from 'node:assert/strict'
import { join } from 'node:path'
import { packageRoot } from '../../../core/base/package-root.ts'
import { loadPlant } from '../../../core/plant/load-plant.ts'

describe('reference plant', () => {
  const plant = loadPlant(join(packageRoot, 'flows', 'reference-plant.json'))

  it('passes the check of the plant model and is big enough to plan', () => {
    assert.ok(plant.units.length >= 8)
    assert.equal(plant.model.workMasters?.length, 3)
    for (const master of plant.model.workMasters ?? []) {
      assert.ok(master.operations.length >= 4 && master.operations.length <= 6, master.id)
      for (const operation of master.operations) assert.ok(plant.unitsFor(operation).length >= 2, `${master.id} ${operation.id}`)
    }
  })

  it('speaks both protocols, about half of the units each, and both in every class', () => {
    const speaks = new Map<string, Set<string>>()
    for (const unit of plant.units) {
      const connection = plant.signalByRole(unit.id, 'packml-state')?.source?.connection ?? ''
      const name = unit.classes?.[0] ?? ''
      speaks.set(name, (speaks.get(name) ?? new Set()).add(connection))
    }
    for (const [name, connections] of speaks) assert.equal(connections.size, 2, name)
  })

  it('has a gauge for every characteristic on every unit that may make it', () => {
    for (const master of plant.model.workMasters ?? []) {
      for (const operation of master.operations) {
        for (const unit of plant.unitsFor(operation)) {
          for (const { id } of operation.characteristics ?? []) {
            assert.equal(plant.signal(`${unit.equipment}/${id}`)?.signal.role, 'characteristic', `${unit.equipment}/${id}`)
          }
        }
      }
    }
  })

  it('gives every unit the signals and commands that the loop needs', () => {
    for (const unit of plant.units) {
      for (const role of ['packml-state', 'packml-mode', 'job-order', 'good-count', 'scrap-count', 'condition'] as const)
        assert.ok(plant.signalByRole(unit.id, role), `${unit.id} ${role}`)
      for (const name of ['start-job', 'stop', 'abort', 'reset', 'enter-maintenance']) assert.ok(plant.command(unit.id, name), `${unit.id} ${name}`)
    }
  })
})
