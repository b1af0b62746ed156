/** What an interlock can ask about: the unit's last known state. */
export interface InterlockState {
  readonly state: string
  readonly mode: string | null
  readonly jobOrder: string | null
}

interface Condition {
  readonly text: string
  readonly field: keyof InterlockState
  readonly wanted: boolean
  readonly values: readonly string[]
}

const FIELDS: ReadonlyMap<string, keyof InterlockState> = new Map([
  ['state', 'state'],
  ['mode', 'mode'],
  ['job', 'jobOrder'],
  ['joborder', 'jobOrder'],
])
const CONDITION = /^(\w+)\s*(==|=|!=|<>|in|not in)\s*(.+)$/i

/**
 * When a command may be given: `state = Idle`, `state in Idle, Complete`, `mode != Manual and state in Idle, Stopped`.
 * Fields are state, mode and jobOrder; `none` stands for no job. Upper and lower case do not matter.
 */
export class Interlock {
  readonly #conditions: readonly Condition[]

  /** Throws SyntaxError with the part that cannot be read. */
  constructor(text: string) {
    this.#conditions = text.split(/\s+and\s+/i).map((part) => conditionOf(part.trim()))
  }

  /** The condition that is not met, as it is written; `undefined` when all are. */
  broken(now: InterlockState): string | undefined {
    return this.#conditions.find(({ field, wanted, values }) => values.includes((now[field] || 'none').toLowerCase()) !== wanted)?.text
  }
}

function conditionOf(text: string): Condition {
  const [, name = '', operator = '', list = ''] = CONDITION.exec(text) ?? []
  const field = FIELDS.get(name.toLowerCase())
  const values = list.split(',').map((value) => value.trim().toLowerCase())
  if (field === undefined || values.some((value) => value === '' || /\s/.test(value)))
    throw new SyntaxError(`'${text}' is not a condition like 'state in Idle, Complete'`)
  if (values.length > 1 && !/in$/i.test(operator)) throw new SyntaxError(`'${text}' compares with several values: write 'in' or 'not in'`)
  return { text, field, wanted: !/^(!=|<>|not in)$/i.test(operator), values }
}
