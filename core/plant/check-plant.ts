import { Ajv, type ValidateFunction } from 'ajv'
import { TaktError } from '../base/error.ts'
import { assertSafe } from '../base/json.ts'
import { maintenanceFaults } from './check-maintenance.ts'
import { isTimeZone, ResourceCheck } from './check-resources.ts'
import { type CommandTarget, type Operation, PlantModel } from './model.ts'
import { Plant } from './plant.ts'

/** One thing wrong with a plant model: the path in the document, and what. */
export interface PlantFault {
  readonly path: string
  readonly what: string
}

let validator: ValidateFunction | undefined

function schemaFaults(model: unknown): PlantFault[] {
  validator ??= new Ajv({ allErrors: true, strict: false }).compile(PlantModel)
  if (validator(model)) return []
  return (validator.errors ?? []).map((error) => {
    const extra =
      'additionalProperty' in error.params
        ? ` ('${String(error.params.additionalProperty)}')`
        : 'allowedValues' in error.params
          ? ` (${String(error.params.allowedValues)})`
          : ''
    return { path: error.instancePath || '/', what: `${error.message ?? 'is wrong'}${extra}` }
  })
}

/** What the schema cannot say: ids that are used twice, names that lead nowhere, operations that wait for each other. */
function referenceFaults(model: PlantModel): PlantFault[] {
  const faults: PlantFault[] = []
  const fault = (path: string, what: string): void => void faults.push({ path, what })
  const unique = (seen: Set<string>, id: string, path: string): void => {
    if (seen.has(id)) fault(path, `'${id}' is used twice`)
    seen.add(id)
  }

  const units = new Set<string>()
  const classes = new Set(model.equipment.flatMap((equipment) => equipment.classes ?? []))
  const materials = new Set<string>()
  model.equipment.forEach((equipment, index) => {
    const path = `/equipment/${index}`
    unique(units, equipment.id, `${path}/id`)
    if (equipment.id !== model.plant && !equipment.id.startsWith(`${model.plant}/`))
      fault(`${path}/id`, `'${equipment.id}' does not lie under the plant '${model.plant}'`)
    if (equipment.calendar !== undefined && !Object.hasOwn(model.calendars ?? {}, equipment.calendar))
      fault(`${path}/calendar`, `there is no calendar '${equipment.calendar}'`)
    const signals = new Set<string>()
    equipment.signals?.forEach((signal, at) => {
      unique(signals, signal.name, `${path}/signals/${at}/name`)
      if (signal.source !== undefined && !isBound(signal.source) && signal.source.jobReceiver === undefined)
        fault(`${path}/signals/${at}/source`, 'needs a topic (MQTT), a device and a metric (Sparkplug B), or a nodeId or a jobReceiver (OPC UA)')
      if (signal.source?.jobReceiver !== undefined && !RECEIVER_ROLES.has(signal.role))
        fault(`${path}/signals/${at}/role`, 'a job order receiver tells of packml-state, job-order, good-count and scrap-count')
      if (signal.rollover !== undefined && signal.role !== 'good-count' && signal.role !== 'scrap-count')
        fault(`${path}/signals/${at}/rollover`, 'only a count rolls over')
    })
    const commands = new Set<string>()
    equipment.commands?.forEach((command, at) => {
      unique(commands, command.name, `${path}/commands/${at}/name`)
      const { jobReceiver, objectId, methodId } = command.target
      if (!isBound(command.target) && jobReceiver === undefined && (objectId === undefined || methodId === undefined))
        fault(
          `${path}/commands/${at}/target`,
          'needs a topic (MQTT), a device and a metric (Sparkplug B), or an objectId and methodId, a nodeId or a jobReceiver (OPC UA)',
        )
    })
  })
  model.equipment.forEach((equipment, index) => {
    for (const side of ['upstream', 'downstream'] as const) {
      equipment[side]?.forEach((id, at) => {
        if (!units.has(id)) fault(`/equipment/${index}/${side}/${at}`, `there is no equipment '${id}'`)
      })
    }
  })
  for (const [index, material] of (model.materials ?? []).entries()) unique(materials, material.id, `/materials/${index}/id`)

  const procedures = new Set<string>()
  for (const [index, procedure] of (model.procedures ?? []).entries()) unique(procedures, procedure.id, `/procedures/${index}/id`)

  const masters = new Set<string>()
  model.workMasters?.forEach((master, index) => {
    const path = `/workMasters/${index}`
    unique(masters, `${master.id}@${master.version}`, `${path}/id`)
    if (!materials.has(master.produces)) fault(`${path}/produces`, `there is no material '${master.produces}'`)
    const operations = new Set<string>()
    for (const [at, operation] of master.operations.entries()) unique(operations, operation.id, `${path}/operations/${at}/id`)
    master.operations.forEach((operation, at) => {
      const here = `${path}/operations/${at}`
      operation.after?.forEach((id, which) => {
        if (!operations.has(id)) fault(`${here}/after/${which}`, `there is no operation '${id}' in ${master.id}`)
      })
      operation.consumes?.forEach((consumed, which) => {
        if (!materials.has(consumed.material)) fault(`${here}/consumes/${which}/material`, `there is no material '${consumed.material}'`)
      })
      operation.alternatives.forEach((alternative, which) => {
        const place = `${here}/alternatives/${which}`
        if ((alternative.class === undefined) === (alternative.equipment === undefined)) fault(place, 'needs either a class or an equipment')
        if (alternative.class !== undefined && !classes.has(alternative.class)) fault(`${place}/class`, `no equipment has the class '${alternative.class}'`)
        if (alternative.equipment !== undefined && !units.has(alternative.equipment))
          fault(`${place}/equipment`, `there is no equipment '${alternative.equipment}'`)
      })
      operation.characteristics?.forEach((characteristic, which) => {
        const { lower, upper } = characteristic
        if (lower !== undefined && upper !== undefined && lower > upper) fault(`${here}/characteristics/${which}`, `lower ${lower} is above upper ${upper}`)
      })
    })
    if (hasCycle(master.operations)) fault(`${path}/operations`, 'the operations wait for each other in a circle')
  })
  if (model.timeZone !== undefined && !isTimeZone(model.timeZone)) fault('/timeZone', `'${model.timeZone}' is not an IANA time zone`)
  return [...faults, ...new ResourceCheck(model).faults, ...maintenanceFaults(model)]
}

/** What a unit's job order receiver can tell. */
const RECEIVER_ROLES: ReadonlySet<string | undefined> = new Set(['packml-state', 'job-order', 'good-count', 'scrap-count'])

/** It names a place to read from or write to, over one protocol. */
function isBound({ topic, device, metric, nodeId }: Pick<CommandTarget, 'topic' | 'device' | 'metric' | 'nodeId'>): boolean {
  return topic !== undefined || nodeId !== undefined || (device !== undefined && metric !== undefined)
}

function hasCycle(operations: readonly Operation[]): boolean {
  const waiting = new Map(operations.map((operation) => [operation.id, new Set(operation.after ?? [])]))
  for (let free = true; free && waiting.size > 0; ) {
    free = false
    for (const [id, before] of waiting) {
      if ([...before].some((other) => waiting.has(other))) continue
      waiting.delete(id)
      free = true
    }
  }
  return waiting.size > 0
}

/** Every fault of a plant model; an empty list means it can be used. */
export function plantFaults(model: unknown): readonly PlantFault[] {
  const faults = schemaFaults(model)
  return faults.length > 0 ? faults : referenceFaults(model as PlantModel)
}

/** The plant of a model. Throws TAKT_PLANT_INVALID with every fault and its path. `where` names the file or the node. */
export function checkPlant(model: unknown, where: string): Plant {
  assertSafe(model, where)
  const faults = plantFaults(model)
  if (faults.length > 0) {
    const list = faults.map((fault) => `${fault.path}: ${fault.what}`).join('; ')
    throw new TaktError('TAKT_PLANT_INVALID', {
      what: `${faults.length} error${faults.length === 1 ? '' : 's'} in the plant model: ${list}`,
      where,
      details: faults,
    })
  }
  return new Plant(model as PlantModel)
}
