import type { Clock } from '../base/clock.ts'
import { TaktError, toTaktError } from '../base/error.ts'
import type { ErrorCode } from '../base/error-codes.ts'
import type { Command, Receipt } from '../messages/command.ts'
import type { Autonomy } from '../messages/common.ts'
import type { EquipmentCommand } from '../plant/model.ts'
import type { Plant } from '../plant/plant.ts'
import { Interlock, type InterlockState } from './interlock.ts'

/** What the machine made of a command; `sent` where it gives no answer. */
export interface Answer {
  readonly status: 'sent' | 'done' | 'refused' | 'expired' | 'failed'
  readonly code?: string | undefined
  readonly reason?: string | undefined
}

export interface CommandGateSetting {
  readonly plant: () => Plant
  readonly clock: Clock
  readonly autonomy: Autonomy
  /** Names of commands that may pass; empty: all that the plant model has. */
  readonly allowed: readonly string[]
  readonly where: string
  /** The unit's last known state; `undefined` while nobody knows it. */
  stateOf(equipment: string): Promise<InterlockState | undefined>
  /** Why a command to begin may not pass yet; undefined: it may. */
  startLock?(command: Command): Promise<{ readonly code: ErrorCode; readonly reason: string } | undefined>
  /** Gives it to the machine. Rejects when it could not be given. */
  send(command: Command, target: EquipmentCommand['target']): Promise<Answer>
  /** A command waits for a person. */
  awaiting(command: Command): void
  /** Answers that were given are kept, so that they outlive a restart. */
  keep?(receipts: readonly Receipt[]): void
}

/** Commands that begin a job order; one that stops it must always pass. */
const STARTS = /start|begin|run|execute|produce/i
/** Answers kept for commands that come again. */
const REMEMBERED = 500

/**
 * Lets commands pass to machines: only those that the plant model has and the allow-list names, in time, once, and when the interlock holds.
 * Every command gets a receipt; what does not pass is never sent.
 */
export class CommandGate {
  readonly #setting: CommandGateSetting
  readonly #answered = new Map<string, Receipt>()
  readonly #underWay = new Map<string, { readonly what: string; readonly receipt: Promise<Receipt> }>()
  readonly #waiting = new Map<string, (accepted: boolean, why?: string) => void>()

  constructor(setting: CommandGateSetting, remembered: readonly Receipt[] = []) {
    this.#setting = setting
    for (const receipt of remembered) this.#answered.set(receipt.of, receipt)
  }

  /** Answers given before a restart; what was answered since counts. */
  remember(receipts: readonly Receipt[]): void {
    for (const receipt of receipts) if (!this.#answered.has(receipt.of)) this.#answered.set(receipt.of, receipt)
  }

  get waiting(): readonly string[] {
    return [...this.#waiting.keys()]
  }

  /** Never rejects. The same id is not sent twice: it gets the answer of the first time, or waits for it. */
  handle(command: Command): Promise<Receipt> {
    const answered = this.#answered.get(command.id)
    if (answered !== undefined) return Promise.resolve(answered)
    const what = JSON.stringify([command.to, command.name, command.arguments])
    const underWay = this.#underWay.get(command.id)
    if (underWay !== undefined) {
      if (underWay.what === what) return underWay.receipt
      return Promise.resolve(this.#receipt(command, refusal('TAKT_COMMAND_CONFLICT')))
    }
    const receipt = this.#pass(command)
      .catch((thrown) => {
        const { code, what: reason } = toTaktError(thrown, this.#setting.where)
        return { status: 'failed', code, reason } satisfies Answer
      })
      .then((answer) => this.#settle(command, answer))
    this.#underWay.set(command.id, { what, receipt })
    return receipt
  }

  /** A person's answer to a command that waits; false when none with this id does. */
  decide(id: string, accepted: boolean, why?: string): boolean {
    const answer = this.#waiting.get(id)
    answer?.(accepted, why)
    return answer !== undefined
  }

  /** What waits for a person is refused: the node is going away. */
  close(): void {
    for (const answer of [...this.#waiting.values()]) answer(false, 'the node was stopped')
  }

  async #pass(command: Command): Promise<Answer> {
    const { plant, allowed, autonomy, send } = this.#setting
    const entry = plant().command(command.to, command.name)
    if (entry === undefined) {
      const known = plant().equipment(command.to) !== undefined
      if (!known) return refusal('TAKT_EQUIPMENT_UNKNOWN', `equipment '${command.to}' is not in the plant model`)
      return refusal('TAKT_COMMAND_UNKNOWN', `${command.to} has no command '${command.name}'`)
    }
    if (allowed.length > 0 && !allowed.includes(command.name))
      return refusal('TAKT_COMMAND_NOT_ALLOWED', `'${command.name}' is not in the node's list of commands`)
    const barred = this.#expired(command) ?? (await this.#locked(command, entry))
    if (barred !== undefined) return barred
    if (autonomy === 'shadow') return refusal('TAKT_COMMAND_SHADOW')
    if (autonomy === 'approve') {
      const declined = await this.#ask(command)
      // much may have happened while it waited
      const late = declined ?? this.#expired(command) ?? (await this.#locked(command, entry))
      if (late !== undefined) return late
    }
    return send(command, entry.target)
  }

  #expired({ expires }: Command): Answer | undefined {
    const now = this.#setting.clock.now()
    if (expires === undefined || now <= expires) return undefined
    return { status: 'expired', code: 'TAKT_COMMAND_EXPIRED', reason: `it was to be obeyed until ${new Date(expires).toISOString()}` }
  }

  async #locked(command: Command, { interlock }: EquipmentCommand): Promise<Answer | undefined> {
    const locked = STARTS.test(command.name) ? await this.#setting.startLock?.(command) : undefined
    if (locked !== undefined) return refusal(locked.code, locked.reason)
    if (interlock === undefined) return undefined
    let rule: Interlock
    try {
      rule = new Interlock(interlock)
    } catch (thrown) {
      return refusal('TAKT_COMMAND_INTERLOCK_INVALID', (thrown as Error).message)
    }
    const state = await this.#setting.stateOf(command.to)
    if (state === undefined) return refusal('TAKT_COMMAND_INTERLOCK', `the state of ${command.to} is not known, and '${interlock}' is asked for`)
    const broken = rule.broken(state)
    if (broken === undefined) return undefined
    return refusal('TAKT_COMMAND_INTERLOCK', `${command.to} is ${state.state}, mode ${state.mode ?? 'unknown'}, where '${broken}' is asked for`)
  }

  #ask(command: Command): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      const cancel = command.expires === undefined ? () => {} : this.#setting.clock.after(command.expires - this.#setting.clock.now() + 1, () => answer(true))
      const answer = (accepted: boolean, why?: string): void => {
        cancel()
        this.#waiting.delete(command.id)
        resolve(accepted ? undefined : refusal('TAKT_COMMAND_DECLINED', why))
      }
      this.#waiting.set(command.id, answer)
      this.#setting.awaiting(command)
    })
  }

  #settle(command: Command, answer: Answer): Receipt {
    const receipt = this.#receipt(command, answer)
    this.#underWay.delete(command.id)
    if (isFinal(answer)) {
      this.#answered.set(command.id, receipt)
      if (this.#answered.size > REMEMBERED) this.#answered.delete(this.#answered.keys().next().value as string)
      this.#setting.keep?.([...this.#answered.values()])
    }
    return receipt
  }

  #receipt(command: Command, answer: Answer): Receipt {
    return {
      kind: 'receipt',
      of: command.id,
      to: command.to,
      status: answer.status,
      ...(answer.code === undefined ? {} : { code: answer.code }),
      ...(answer.reason === undefined ? {} : { reason: answer.reason }),
      time: this.#setting.clock.now(),
    }
  }
}

/** It took effect, or a person decided. What had no effect may be tried again under its id. */
function isFinal({ status, code }: Answer): boolean {
  return status === 'done' || status === 'sent' || code === 'TAKT_COMMAND_DECLINED'
}

function refusal(code: ErrorCode, reason?: string): Answer {
  return { status: 'refused', code, reason: reason ?? new TaktError(code, { where: '' }).what }
}
