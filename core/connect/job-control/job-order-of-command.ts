import { TaktError } from '../../base/error.ts'
import type { Command } from '../../messages/command.ts'
import type { JobOrderRecord, MaterialRecord, ParameterRecord, PlainValue } from './job-record.ts'
import { MARK } from './receiver-client.ts'
import { LONGEST_ID, type ReceiverMethod } from './vocabulary.ts'

/** The method of Job Control that a command of the plant model stands for: `start-job`, `stop-job` or plain `stop`, and the standard's own names. */
const METHODS: Readonly<Record<string, ReceiverMethod>> = {
  start: 'StoreAndStart',
  storeandstart: 'StoreAndStart',
  store: 'Store',
  allow: 'Start',
  allowstart: 'Start',
  update: 'Update',
  revoke: 'RevokeStart',
  revokestart: 'RevokeStart',
  pause: 'Pause',
  hold: 'Pause',
  resume: 'Resume',
  stop: 'Stop',
  abort: 'Abort',
  cancel: 'Cancel',
  clear: 'Clear',
}

export function methodOfCommand(name: string): ReceiverMethod | undefined {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z]/g, '')
    .replace(/job(order)?$/, '')
  return Object.hasOwn(METHODS, plain) ? METHODS[plain] : undefined
}

/** The id of the job order that a command is about. Throws TAKT_JOB_CONTROL_INVALID when it names none. */
export function jobOrderOf({ arguments: given, name }: Command, where: string): string {
  const { jobOrder } = given
  if (typeof jobOrder === 'string' && jobOrder !== '' && jobOrder.length <= LONGEST_ID) return jobOrder
  throw new TaktError('TAKT_JOB_CONTROL_INVALID', { what: `'${name}' needs the argument jobOrder, an id of at most ${LONGEST_ID} characters`, where })
}

/**
 * The full job order for a machine. Work master, quantity, lot, times and priority go where the standard has a place for them;
 * every argument is a parameter too, under its own name, and the command's id is the mark by which the job order is known again.
 */
export function jobOrderOfCommand(command: Command, where: string): JobOrderRecord {
  const { arguments: given, to, id } = command
  const text = (name: string): string | undefined => {
    const value = given[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const number = (name: string): number | undefined => {
    const value = given[name]
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined
  }
  const product = text('product')
  const operation = text('operation')
  const [start, end, priority] = [number('start'), number('end') ?? number('due'), number('priority')]
  const material = producedMaterial(product, text('lot'), number('quantity'), text('unit'))
  const description = text('description') ?? [operation, product].filter((part) => part !== undefined).join(' of ')
  return {
    id: jobOrderOf(command, where),
    ...(description === '' ? {} : { description }),
    ...(product === undefined ? {} : { workMasters: [{ id: operation === undefined ? product : `${product}/${operation}` }] }),
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    ...(priority === undefined ? {} : { priority: Math.max(-32_768, Math.min(32_767, Math.round(priority))) }),
    parameters: [
      ...Object.entries(given).flatMap(([name, value]) => (name === 'jobOrder' || value === null ? [] : [parameter(name, value)])),
      { id: MARK, type: 'String', value: id },
    ],
    equipment: [{ id: to, quantity: '1' }],
    ...(material === undefined ? {} : { materials: [material] }),
  }
}

function producedMaterial(definition?: string, lot?: string, quantity?: number, unit?: string): MaterialRecord | undefined {
  if (definition === undefined && lot === undefined) return undefined
  return {
    ...(definition === undefined ? {} : { definition }),
    ...(lot === undefined ? {} : { lot }),
    use: 'Produced',
    ...(quantity === undefined ? {} : { quantity: decimalOf(quantity) }),
    ...(unit === undefined ? {} : { unit }),
  }
}

function parameter(id: string, value: PlainValue): ParameterRecord {
  const type = typeof value === 'number' ? 'Double' : typeof value === 'boolean' ? 'Boolean' : 'String'
  return { id, type, value }
}

/** DecimalString knows no exponents. */
function decimalOf(quantity: number): string {
  const text = String(quantity)
  return text.includes('e') ? quantity.toFixed(12).replace(/\.?0+$/, '') : text
}
