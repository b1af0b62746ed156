/**
 * What a method of Job Control answers: a bit map in a UInt64 (OPC 10031-4 v2.0.0, B.2). Bits from 33 on are each implementation's own;
 * what Takt means by its own stands beside them.
 */
export const RETURN_BITS = {
  NoError: 0,
  UnknownJobOrderId: 1,
  /** of version 1 of the specification; other servers may still send it */
  InvalidJobOrderCommand: 2,
  InvalidJobOrderStatus: 3,
  UnableToAcceptJobOrder: 4,
  InvalidRequest: 32,
  JobOrderIdInUse: 33,
  ListIsFull: 34,
  TryAgainLater: 35,
  UnitDecides: 36,
} as const
export type ReturnBit = keyof typeof RETURN_BITS

const WORDS: Readonly<Record<ReturnBit, string>> = {
  NoError: 'no error',
  UnknownJobOrderId: 'the job order id is not known',
  InvalidJobOrderCommand: 'the command cannot be executed',
  InvalidJobOrderStatus: 'the state of the job order does not allow it',
  UnableToAcceptJobOrder: 'the job order cannot be accepted',
  InvalidRequest: 'the request is invalid',
  JobOrderIdInUse: 'the id was used for another job order',
  ListIsFull: 'the list of job orders is full',
  TryAgainLater: 'try again later',
  UnitDecides: 'a unit works on it and decides',
}

const NAMES = Object.keys(RETURN_BITS) as ReturnBit[]
/** Bits that mean the same to everyone. */
const STANDARD = 32

/** The two words of a UInt64, the high one first, as node-opcua has them. */
export function returnStatusOf(bits: readonly ReturnBit[]): [high: number, low: number] {
  let [high, low] = [0, 0]
  for (const bit of bits) {
    const position = RETURN_BITS[bit]
    if (position < 32) low = (low | (1 << position)) >>> 0
    else high = (high | (1 << (position - 32))) >>> 0
  }
  return [high, low]
}

/** The bits of a ReturnStatus, known or not, as positions. */
export function bitsOf(status: unknown): readonly number[] {
  const [high, low] = wordsOf(status)
  const bits: number[] = []
  for (let position = 0; position < 64; position++) {
    const word = position < 32 ? low : high
    if (((word >>> (position % 32)) & 1) === 1) bits.push(position)
  }
  return bits
}

/** A ReturnStatus in words. Bits from 33 on are told by their number: they mean something else on every server, unless it is ours. */
export function describeStatus(status: unknown, own = false): string {
  const said = bitsOf(status).map((position) => {
    const name = NAMES.find((known) => RETURN_BITS[known] === position)
    return name === undefined || (position > STANDARD && !own) ? `code ${position}` : WORDS[name]
  })
  return said.length === 0 ? 'no reason given' : said.join('; ')
}

/** Done: bit 0 is set, or nothing is said against it. Some servers leave the status 0 when all went well. */
export function isNoError(status: unknown): boolean {
  const bits = bitsOf(status)
  return bits.length === 0 || bits.includes(RETURN_BITS.NoError)
}

function wordsOf(status: unknown): [number, number] {
  if (Array.isArray(status) && status.length === 2) return [Number(status[0]) >>> 0, Number(status[1]) >>> 0]
  if (typeof status === 'number' || typeof status === 'bigint') {
    const bits = BigInt.asUintN(64, BigInt(status))
    return [Number(bits >> 32n), Number(bits & 0xffffffffn)]
  }
  return [0, 0]
}
