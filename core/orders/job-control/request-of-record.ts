import { TaktError } from '../../base/error.ts'
import { type JobOrderRecord, type PlainValue, parameterOf } from '../../connect/job-control/job-record.ts'
import type { WorkMaster } from '../../plant/model.ts'
import type { Plant } from '../../plant/plant.ts'
import type { OrderRequest, RequestedOperation } from '../order-request.ts'

/** ISA-95 material uses that mean: this comes out. */
const PRODUCED = /^(material ?)?produced?$/i

/**
 * The order that a job order asks for. Work master: the first of its list that the plant has, else what makes the material to be produced. Quantity: the parameter
 * `Quantity`, else the material's. Due is EndTime, release StartTime; the priority is higher for what is more urgent, as in Takt. Only units below `receiver` and below
 * the equipment that is asked for may work on it.
 * Throws TAKT_WORK_MASTER_UNKNOWN, TAKT_ORDER_QUANTITY, TAKT_EQUIPMENT_UNKNOWN, TAKT_ORDER_ROUTING.
 */
export function requestOfRecord(record: JobOrderRecord, receiver: string, system: string, plant: Plant): OrderRequest {
  const where = `job order ${record.id}`
  const produced = record.materials?.find(({ use }) => use !== undefined && PRODUCED.test(use))
  const master = masterOf(record, produced?.definition, plant, where)
  const quantity = quantityOf(record, produced?.quantity, where)
  const operations = restricted(master, record, receiver, plant, where)
  const unit = plant.model.materials?.find(({ id }) => id === master.produces)?.unit ?? produced?.unit ?? 'pcs'
  const weight = parameterOf(record.parameters, 'Weight')
  return {
    external: { system, id: record.id },
    workMaster: `${master.id}@${master.version}`,
    quantity: { value: quantity, unit },
    ...(record.start === undefined ? {} : { release: record.start }),
    ...(record.end === undefined ? {} : { due: record.end }),
    ...(record.priority === undefined ? {} : { priority: record.priority }),
    ...(typeof weight === 'number' && weight >= 0 ? { weight } : {}),
    ...(operations === undefined ? {} : { operations, product: master.produces }),
  }
}

function masterOf({ workMasters = [] }: JobOrderRecord, material: string | undefined, plant: Plant, where: string): WorkMaster {
  for (const { id } of workMasters) {
    const master = plant.workMaster(id)
    if (master !== undefined) return master
  }
  const makes = (plant.model.workMasters ?? []).filter(({ produces }) => workMasters.length === 0 && produces === material)
  const newest = makes.sort((a, b) => b.version - a.version)[0]
  if (newest !== undefined) return newest
  const named = workMasters.map(({ id }) => `'${id}'`).join(', ')
  const what = named === '' ? `it names no work master, and nothing makes '${material ?? '(no material)'}'` : `the plant has no work master ${named}`
  throw new TaktError('TAKT_WORK_MASTER_UNKNOWN', { what, where })
}

function quantityOf({ parameters, workMasters }: JobOrderRecord, material: string | undefined, where: string): number {
  const said = [parameterOf(parameters, 'Quantity'), material, ...(workMasters ?? []).map((master) => parameterOf(master.parameters, 'Quantity'))]
  const first = said.find((value): value is Exclude<PlainValue, null> => value !== undefined && value !== null && value !== '')
  const quantity = typeof first === 'boolean' ? Number.NaN : Number(first)
  if (Number.isFinite(quantity) && quantity > 0 && quantity <= 1e9) return quantity
  throw new TaktError('TAKT_ORDER_QUANTITY', { what: first === undefined ? 'it says no quantity' : `the quantity is '${String(first).slice(0, 40)}'`, where })
}

/** The work master's operations with only the units that may work on it; `undefined` when all may. */
function restricted(master: WorkMaster, record: JobOrderRecord, receiver: string, plant: Plant, where: string): RequestedOperation[] | undefined {
  const asked = (record.equipment ?? []).map(({ id }) => id)
  const unknown = asked.find((id) => plant.equipment(id) === undefined && !hasClass(plant, id))
  if (unknown !== undefined)
    throw new TaktError('TAKT_EQUIPMENT_UNKNOWN', { what: `it asks for '${unknown.slice(0, 100)}', which the plant does not have`, where })
  let fewer = false
  const operations = master.operations.map((operation): RequestedOperation => {
    const all = plant.unitsFor(operation)
    // the plant's own receiver has every unit, whatever the ids look like
    const here = all.filter(({ equipment }) => receiver === plant.model.plant || isBelow(equipment, receiver))
    // equipment is asked for where it can do the work; an operation that none of it can do is done by the others
    const wanted = here.filter(({ equipment }) => asked.some((id) => isBelow(equipment, id) || plant.equipment(equipment)?.classes?.includes(id)))
    const alternatives = wanted.length === 0 ? here : wanted
    if (alternatives.length === 0)
      throw new TaktError('TAKT_ORDER_ROUTING', { what: `no unit of ${receiver} can do operation '${operation.id}' of ${master.id}`, where })
    if (alternatives.length < all.length) fewer = true
    const family = operation.setupFamily === undefined ? {} : { setupFamily: operation.setupFamily }
    return { id: operation.id, after: [...(operation.after ?? [])], alternatives: alternatives.map((unit) => ({ ...unit })), ...family }
  })
  return fewer ? operations : undefined
}

function isBelow(equipment: string, above: string): boolean {
  return equipment === above || equipment.startsWith(`${above}/`)
}

function hasClass(plant: Plant, name: string): boolean {
  return plant.units.some(({ classes }) => classes?.includes(name))
}
