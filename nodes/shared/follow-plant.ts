import type { Node } from 'node-red'
import { type TaktError, toTaktError } from '../../core/base/error.ts'
import type { Plant } from '../../core/plant/plant.ts'
import type { PlantNode } from '../plant/plant.ts'
import { nameOf } from './define-node.ts'

/**
 * Gives a node the plant now and after each reload. What `use` throws, or a plant with errors, is told once and shown through `fault`,
 * until a reload brings a plant that does. Returns the way to stop.
 */
export function followPlant(node: Node, plantNode: PlantNode, use: (plant: Plant) => void, fault: (problem: TaktError | undefined) => void): () => void {
  const attempt = (plant: () => Plant): void => {
    try {
      use(plant())
      fault(undefined)
    } catch (thrown) {
      const problem = toTaktError(thrown, nameOf(node))
      fault(problem)
      node.error(problem, {} as never)
    }
  }
  attempt(() => plantNode.plant())
  return plantNode.onReload((plant) => attempt(() => plant))
}
