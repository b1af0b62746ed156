import { type TaktError, toTaktError } from '../../core/base/error.ts'
import type { Procedure } from '../../core/messages/procedure.ts'
import type { Plant } from '../../core/plant/plant.ts'
import { isKnown, plantProcedures, proposeFromPlant } from '../../core/procedures/from-plant.ts'
import type { Store } from '../../core/store/store.ts'
import type { PlantNode } from '../plant/plant.ts'

interface Parts {
  readonly store: Store
  readonly plant: PlantNode
  readonly actor: string
  readonly where: string
  readonly proposed: (procedure: Procedure) => void
  readonly problem: (problem: TaktError) => void
}

/** Proposes the procedures of the plant model, at each start and each reload. Returns the way to begin and to stop. */
export function followPlantProcedures({ store, plant, actor, where, proposed, problem }: Parts): { start(): void; stop(): Promise<void> } {
  let stopped = false
  let working: Promise<void> = Promise.resolve()
  const look = async (model: Plant): Promise<void> => {
    const { texts, problems } = plantProcedures(model)
    for (const fault of problems) problem(fault)
    if (stopped || (await isKnown(store, texts))) return
    for (const draft of await store.transaction((tx) => proposeFromPlant(tx, texts, actor))) proposed(draft)
  }
  const attempt = (model: () => Plant): void => {
    working = working.then(async () => {
      try {
        if (!stopped) await look(model())
      } catch (thrown) {
        if (!stopped) problem(toTaktError(thrown, where))
      }
    })
  }
  const forget = plant.onReload((model) => attempt(() => model))
  return {
    start: () => attempt(() => plant.plant()),
    async stop() {
      stopped = true
      forget()
      await working
    },
  }
}
