/** A job order and a job response of OPC 10031-4 as plain JSON: what is kept in the store and echoed in lists. Times are epoch ms. */

export type ScalarType =
  | 'Boolean'
  | 'SByte'
  | 'Byte'
  | 'Int16'
  | 'UInt16'
  | 'Int32'
  | 'UInt32'
  | 'Int64'
  | 'UInt64'
  | 'Float'
  | 'Double'
  | 'String'
  | 'DateTime'

/** 64-bit integers and times are texts, decimal and ISO 8601; `null`: no value. */
export type PlainValue = string | number | boolean | null

export interface ParameterRecord {
  readonly id: string
  readonly type: ScalarType | 'Null'
  /** a list where the sender gave an array */
  readonly value: PlainValue | readonly PlainValue[]
  readonly description?: string
  readonly unit?: string
  readonly sub?: readonly ParameterRecord[]
}

/** A person, equipment or asset that is asked for or was used; `quantity` is a decimal text. */
export interface ResourceRecord {
  readonly id: string
  readonly use?: string
  readonly quantity?: string
  readonly unit?: string
  readonly description?: string
  readonly properties?: readonly ParameterRecord[]
}

export interface MaterialRecord {
  readonly materialClass?: string
  readonly definition?: string
  readonly lot?: string
  readonly sublot?: string
  readonly use?: string
  readonly quantity?: string
  readonly unit?: string
  readonly description?: string
  readonly properties?: readonly ParameterRecord[]
}

export interface WorkMasterRecord {
  readonly id: string
  readonly description?: string
  readonly parameters?: readonly ParameterRecord[]
}

export interface JobOrderRecord {
  readonly id: string
  readonly description?: string
  readonly workMasters?: readonly WorkMasterRecord[]
  readonly start?: number
  readonly end?: number
  /** higher is more urgent */
  readonly priority?: number
  readonly parameters?: readonly ParameterRecord[]
  readonly personnel?: readonly ResourceRecord[]
  readonly equipment?: readonly ResourceRecord[]
  readonly assets?: readonly ResourceRecord[]
  readonly materials?: readonly MaterialRecord[]
}

export interface JobResponseRecord {
  readonly id: string
  readonly jobOrder: string
  readonly description?: string
  readonly start?: number
  readonly end?: number
  readonly state: string
  readonly substate: string | null
  readonly data?: readonly ParameterRecord[]
  readonly personnel?: readonly ResourceRecord[]
  readonly equipment?: readonly ResourceRecord[]
  readonly assets?: readonly ResourceRecord[]
  readonly materials?: readonly MaterialRecord[]
}

/** A parameter by its name, whatever its case; `undefined` when it is not there or is a list. */
export function parameterOf(parameters: readonly ParameterRecord[] | undefined, name: string): PlainValue | undefined {
  const wanted = name.toLowerCase()
  const value = parameters?.find(({ id }) => id.toLowerCase() === wanted)?.value
  return Array.isArray(value) ? undefined : (value as PlainValue | undefined)
}
