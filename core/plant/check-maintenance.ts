import type { PlantFault } from './check-plant.ts'
import type { Equipment, PlantModel } from './model.ts'

/** Spares that are no material, checks that check nothing, trials that try nothing. */
export function maintenanceFaults({ equipment, materials = [] }: PlantModel): PlantFault[] {
  const known = new Set(materials.map(({ id }) => id))
  return equipment.flatMap((unit, index) => {
    const path = `/equipment/${index}/maintenance`
    return [...spareFaults(unit, known, `${path}/spare`), ...checkFaults(unit, `${path}/returnToService`), ...trialFaults(unit, `${path}/trial`)]
  })
}

function spareFaults({ maintenance }: Equipment, known: ReadonlySet<string>, path: string): PlantFault[] {
  const seen = new Set<string>()
  const faults: PlantFault[] = []
  for (const [index, { material }] of (maintenance?.spare ?? []).entries()) {
    if (!known.has(material)) faults.push({ path: `${path}/${index}/material`, what: `there is no material '${material}'` })
    if (seen.has(material)) faults.push({ path: `${path}/${index}/material`, what: `'${material}' is named twice: say how many in one place` })
    seen.add(material)
  }
  return faults
}

function checkFaults({ id, maintenance, signals = [] }: Equipment, path: string): PlantFault[] {
  const check = maintenance?.returnToService
  if (check === undefined) return []
  const { confirm, signals: calm = [], procedure } = check
  const faults: PlantFault[] = []
  if (confirm === undefined && calm.length === 0 && procedure === undefined)
    faults.push({ path, what: 'it checks nothing: name confirm, signals or a procedure' })
  for (const [index, { signal, lower, upper }] of calm.entries()) {
    const here = `${path}/signals/${index}`
    const own = signals.find(({ name }) => name === signal)
    if (own === undefined) faults.push({ path: `${here}/signal`, what: `'${id}' has no signal '${signal}'` })
    if (lower !== undefined && upper !== undefined && lower > upper) faults.push({ path: here, what: `lower ${lower} is above upper ${upper}` })
    if (own !== undefined && own.role !== 'condition' && lower === undefined && upper === undefined)
      faults.push({ path: here, what: `'${signal}' has no limits here, and no anomaly node watches a signal whose role is not condition` })
  }
  return faults
}

function trialFaults({ maintenance, level }: Equipment, path: string): PlantFault[] {
  const trial = maintenance?.trial
  if (trial === undefined) return []
  const faults: PlantFault[] = []
  if (level !== 'workUnit') faults.push({ path, what: 'only a work unit makes parts' })
  if ((trial.scrap ?? 0) >= trial.parts) faults.push({ path: `${path}/scrap`, what: `of ${trial.parts} parts all may be scrap: it tries nothing` })
  return faults
}
