import type { Argument, ClientSession, NodeId, Variant } from 'node-opcua'
import { TaktError } from '../base/error.ts'
import type { Opcua } from './load-opcua.ts'

/** What a command may give: a value, or lists of them as JSON. */
export type WrittenValue = string | number | boolean | bigint | null | readonly unknown[]

const INTEGERS: Readonly<Record<string, readonly [bigint, bigint]>> = {
  SByte: [-128n, 127n],
  Byte: [0n, 255n],
  Int16: [-32_768n, 32_767n],
  UInt16: [0n, 65_535n],
  Int32: [-2_147_483_648n, 2_147_483_647n],
  UInt32: [0n, 4_294_967_295n],
  Int64: [-(2n ** 63n), 2n ** 63n - 1n],
  UInt64: [0n, 2n ** 64n - 1n],
}
const LARGEST_FLOAT = 3.402_823_466_385_288_6e38

/**
 * A Variant of the type that the variable has. Texts that spell a number are taken for numbers, exactly also beyond 2^53.
 * Throws TAKT_OPCUA_VALUE for what the type cannot hold, TAKT_OPCUA_ACCESS where this user may not write.
 */
export async function variantForNode(session: ClientSession, opcua: Opcua, nodeId: NodeId, value: WrittenValue, where: string): Promise<Variant> {
  const { AttributeIds, AccessLevelFlag } = opcua
  const [access, rank] = await session.read([
    { nodeId, attributeId: AttributeIds.UserAccessLevel },
    { nodeId, attributeId: AttributeIds.ValueRank },
  ])
  if (access?.statusCode.isGood() && (Number(access.value.value) & AccessLevelFlag.CurrentWrite) === 0)
    throw new TaktError('TAKT_OPCUA_ACCESS', { what: `this user may not write ${nodeId.toString()}`, where })
  const dataType = await session.getBuiltInDataType(nodeId)
  return variantOf(value, dataType, rank?.statusCode.isGood() ? Number(rank.value.value) : -1, opcua, where)
}

/** A Variant for an argument of a method, by its declared type. Throws TAKT_OPCUA_VALUE. */
export async function variantForArgument(session: ClientSession, opcua: Opcua, argument: Argument, value: WrittenValue, where: string): Promise<Variant> {
  const dataType = await builtInOf(session, opcua, argument.dataType)
  return variantOf(value, dataType, argument.valueRank, opcua, `${where}, argument '${argument.name}'`)
}

/** `rank`: -1 a scalar, 1 a list, as ValueRank says (OPC 10000-3, 5.6.2); below -1 whatever comes. */
export function variantOf(value: WrittenValue, dataType: number, rank: number, opcua: Opcua, where: string): Variant {
  const { DataType, VariantArrayType, Variant: Made } = opcua
  const type = DataType[dataType] ?? String(dataType)
  const list = listOf(value, rank)
  if (list !== undefined) {
    if (rank === -1) throw new TaktError('TAKT_OPCUA_VALUE', { what: 'a list where one value is taken', where })
    if (rank > 1) throw new TaktError('TAKT_OPCUA_VALUE', { what: `a matrix of ${rank} dimensions cannot be written`, where })
    return new Made({ dataType, arrayType: VariantArrayType.Array, value: list.map((each) => plain(each, type, where)) })
  }
  if (rank >= 1) throw new TaktError('TAKT_OPCUA_VALUE', { what: 'one value where a list is taken', where })
  return new Made({ dataType, arrayType: VariantArrayType.Scalar, value: plain(value, type, where) })
}

function listOf(value: WrittenValue, rank: number): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value
  if (rank < 1 || typeof value !== 'string' || !value.trim().startsWith('[')) return undefined
  try {
    const parsed: unknown = JSON.parse(value)
    return Array.isArray(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

function plain(value: unknown, type: string, where: string): unknown {
  const refuse = (): TaktError => new TaktError('TAKT_OPCUA_VALUE', { what: `${shown(value)} is no ${type}`, where })
  const range = INTEGERS[type]
  if (range !== undefined) {
    const number = integerOf(value)
    if (number === undefined || number < range[0] || number > range[1]) throw refuse()
    return type === 'Int64' || type === 'UInt64' ? words(number) : Number(number)
  }
  switch (type) {
    case 'Float':
    case 'Double': {
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
      if (typeof number !== 'number' || !Number.isFinite(number) || (type === 'Float' && Math.abs(number) > LARGEST_FLOAT)) throw refuse()
      return number
    }
    case 'Boolean': {
      if (value === true || value === 1 || value === 'true') return true
      if (value === false || value === 0 || value === 'false') return false
      throw refuse()
    }
    case 'String':
    case 'XmlElement':
      if (value === null || typeof value === 'object') throw refuse()
      return String(value)
    case 'LocalizedText':
      if (value === null || typeof value === 'object') throw refuse()
      return { text: String(value) }
    case 'DateTime': {
      const time = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : Number.NaN
      if (!Number.isFinite(time)) throw refuse()
      return new Date(time)
    }
    case 'Guid':
      if (typeof value !== 'string' || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) throw refuse()
      return value.toUpperCase()
    case 'ByteString':
      if (typeof value !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw refuse()
      return Buffer.from(value, 'base64')
    default:
      throw new TaktError('TAKT_OPCUA_VALUE', { what: `values of type ${type} cannot be written`, where })
  }
}

function integerOf(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined
  if (typeof value === 'boolean') return value ? 1n : 0n
  return typeof value === 'string' && /^\s*[+-]?\d{1,20}\s*$/.test(value) ? BigInt(value.trim().replace(/^\+/, '')) : undefined
}

/** 64-bit integers are two words here, the high one first. */
function words(number: bigint): readonly [number, number] {
  const bits = BigInt.asUintN(64, number)
  return [Number(bits >> 32n), Number(bits & 0xffffffffn)]
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? `'${value}'` : typeof value === 'object' ? JSON.stringify(value) : String(value)
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}

/** The built-in type behind a data type, by the tree of types; types below 26 are built in themselves. */
async function builtInOf(session: ClientSession, opcua: Opcua, dataType: NodeId): Promise<number> {
  const BUILT_IN = 25
  let current = dataType
  for (let depth = 0; depth < 20; depth++) {
    if (current.namespace === 0 && typeof current.value === 'number') {
      if (current.value <= BUILT_IN) return current.value
      // Enumeration
      if (current.value === 29) return opcua.DataType.Int32
    }
    const { references } = await session.browse({
      nodeId: current,
      referenceTypeId: 'HasSubtype',
      includeSubtypes: false,
      browseDirection: opcua.BrowseDirection.Inverse,
      nodeClassMask: 0,
      resultMask: 0x3f,
    })
    const parent = references?.[0]?.nodeId
    if (parent === undefined) break
    current = parent
  }
  return opcua.DataType.Null
}
