import type { Variant } from 'node-opcua'
import type { Opcua } from '../load-opcua.ts'
import type { JobOrderRecord, JobResponseRecord, MaterialRecord, ParameterRecord, PlainValue, ResourceRecord } from './job-record.ts'
import { type JobState, stateFields } from './job-states.ts'

/** Plain fields from which a client or a server makes the structures of Job Control. Fields that are not given stay off the wire. */

export function jobOrderFields(record: JobOrderRecord, opcua: Opcua): object {
  return filled({
    jobOrderID: record.id,
    description: texts(record.description),
    workMasterID: record.workMasters?.map(({ id, description, parameters }) =>
      filled({ ID: id, description: textOf(description), parameters: parameterFields(parameters, opcua, 'subparameters') }),
    ),
    startTime: timeOf(record.start),
    endTime: timeOf(record.end),
    priority: record.priority,
    jobOrderParameters: parameterFields(record.parameters, opcua, 'subparameters'),
    personnelRequirements: resourceFields(record.personnel, 'personnelUse', opcua),
    equipmentRequirements: resourceFields(record.equipment, 'equipmentUse', opcua),
    physicalAssetRequirements: resourceFields(record.assets, 'physicalAssetUse', opcua),
    materialRequirements: materialFields(record.materials, opcua),
  })
}

export function jobResponseFields(record: JobResponseRecord, namespace: number, opcua: Opcua): object {
  return filled({
    jobResponseID: record.id,
    description: textOf(record.description),
    jobOrderID: record.jobOrder,
    startTime: timeOf(record.start),
    endTime: timeOf(record.end),
    jobState: stateFields(record as JobState, namespace),
    jobResponseData: parameterFields(record.data, opcua, 'subparameters'),
    personnelActuals: resourceFields(record.personnel, 'personnelUse', opcua),
    equipmentActuals: resourceFields(record.equipment, 'equipmentUse', opcua),
    physicalAssetActuals: resourceFields(record.assets, 'physicalAssetUse', opcua),
    materialActuals: materialFields(record.materials, opcua),
  })
}

function parameterFields(parameters: readonly ParameterRecord[] | undefined, opcua: Opcua, below: 'subparameters' | 'subproperties'): object[] | undefined {
  return parameters?.map(({ id, type, value, description, unit, sub }) =>
    filled({
      ID: id,
      value: variantOf(type, value, opcua),
      // a property has one description, a parameter one a language
      description: below === 'subparameters' ? texts(description) : textOf(description),
      engineeringUnits: unitOf(unit),
      [below]: parameterFields(sub, opcua, below),
    }),
  )
}

function resourceFields(resources: readonly ResourceRecord[] | undefined, use: string, opcua: Opcua): object[] | undefined {
  return resources?.map((resource) =>
    filled({
      ID: resource.id,
      description: texts(resource.description),
      [use]: resource.use,
      quantity: resource.quantity,
      engineeringUnits: unitOf(resource.unit),
      properties: parameterFields(resource.properties, opcua, 'subproperties'),
    }),
  )
}

function materialFields(materials: readonly MaterialRecord[] | undefined, opcua: Opcua): object[] | undefined {
  return materials?.map((material) =>
    filled({
      materialClassID: material.materialClass,
      materialDefinitionID: material.definition,
      materialLotID: material.lot,
      materialSublotID: material.sublot,
      description: texts(material.description),
      materialUse: material.use,
      quantity: material.quantity,
      engineeringUnits: unitOf(material.unit),
      properties: parameterFields(material.properties, opcua, 'subproperties'),
    }),
  )
}

function variantOf(type: ParameterRecord['type'], value: ParameterRecord['value'], { DataType, Variant, VariantArrayType }: Opcua): Variant {
  if (type === 'Null') return new Variant({ dataType: DataType.Null })
  const onWire = (plain: PlainValue): unknown => {
    if (type === 'Int64' || type === 'UInt64') return wideWords(plain)
    return type === 'DateTime' && typeof plain === 'string' ? new Date(plain) : plain
  }
  const many = Array.isArray(value)
  return new Variant({
    dataType: DataType[type],
    arrayType: many ? VariantArrayType.Array : VariantArrayType.Scalar,
    value: many ? value.map(onWire) : onWire(value as PlainValue),
  })
}

function wideWords(plain: PlainValue): [number, number] {
  const bits = BigInt.asUintN(64, BigInt(typeof plain === 'boolean' || plain === null ? 0 : plain))
  return [Number(bits >> 32n), Number(bits & 0xffffffffn)]
}

const timeOf = (time: number | undefined): Date | undefined => (time === undefined ? undefined : new Date(time))
const textOf = (text: string | undefined): object | undefined => (text === undefined ? undefined : { text })
const texts = (text: string | undefined): object[] | undefined => (text === undefined ? undefined : [{ text }])
const unitOf = (unit: string | undefined): object | undefined =>
  unit === undefined
    ? undefined
    : { namespaceUri: 'http://www.opcfoundation.org/UA/units/un/cefact', unitId: -1, displayName: { text: unit }, description: { text: unit } }

function filled(fields: Record<string, unknown>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
