import type { Cancel, Clock } from '../../base/clock.ts'
import type { Anomaly } from '../../messages/anomaly.ts'
import type { Autonomy } from '../../messages/common.ts'
import type { Disruption } from '../../messages/disruption.ts'
import type { MachineState } from '../../messages/machine-state.ts'
import type { Prognosis } from '../../messages/prognosis.ts'
import type { Plant } from '../../plant/plant.ts'
import type { Store, StoreTransaction } from '../../store/store.ts'
import type { UnitState } from '../follow-machine.ts'
import { readMaterialTime, setMaterialTime } from '../material-time.ts'
import { readAway, readBack, recordAway, recordBack } from './away.ts'
import { acceptDisruption, refuseDisruption } from './disruptions.ts'
import { type JudgeContext, type Judgement, judgeAnomaly, judgePrognosis, judgeTrial, judgeUnit } from './judge.ts'
import type { DisruptionSettings } from './settings.ts'

export interface DisruptionDeskParts {
  readonly store: Store
  readonly plant: () => Plant
  /** Plant time. */
  readonly clock: Clock
  readonly settings: DisruptionSettings
  readonly autonomy: Autonomy
  readonly actor: string
  /** A disruption is new or has changed. */
  changed(disruption: Disruption): void
  /** Something that was to be looked at later could not be. */
  failed(thrown: unknown): void
}

/** Turns what the plant says into disruptions, remembers what must be looked at again, and takes people's answers. What it decides stands in the store. */
export class DisruptionDesk {
  readonly #parts: DisruptionDeskParts
  /** anomalies that stand, by id, as they were last told */
  readonly #anomalies = new Map<string, Anomaly>()
  /** prognoses that stand, by unit and indicator */
  readonly #prognoses = new Map<string, Prognosis>()
  readonly #units = new Map<string, UnitState>()
  readonly #timers = new Map<string, Cancel>()
  readonly #unsubscribe: () => void
  #autonomy: Autonomy

  constructor(parts: DisruptionDeskParts) {
    this.#parts = parts
    this.#autonomy = parts.autonomy
    this.#unsubscribe = parts.store.subscribe(({ type, subject }) => {
      if (type === 'work-order.trial-failed') this.trialFailed(subject).catch((thrown: unknown) => parts.failed(thrown))
    })
  }

  get autonomy(): Autonomy {
    return this.#autonomy
  }

  /** From now on. What was proposed to people stays with them; what was only computed in shadow is looked at again. */
  async setAutonomy(level: Autonomy): Promise<void> {
    this.#autonomy = level
    for (const anomaly of [...this.#anomalies.values()]) await this.anomaly(anomaly)
    for (const prognosis of [...this.#prognoses.values()]) await this.prognosis(prognosis)
    for (const unit of [...this.#units.values()]) await this.machineState(unit)
    await this.#failedTrials()
  }

  /** Takes up what a restart interrupted: proposals are shown again, anomalies and silent units are looked at again. */
  async resume(): Promise<void> {
    const { store } = this.#parts
    for (const proposal of await store.list('disruption', { where: { status: 'proposed' }, orderBy: 'time' })) this.#parts.changed(proposal)
    for (const anomaly of await store.list('anomaly', { where: { state: ['raised', 'updated'] }, orderBy: 'since' })) await this.anomaly(anomaly)
    await this.#failedTrials()
    const rows = await store.db.selectFrom('machine_state').selectAll().where('until', 'is', null).execute()
    for (const { equipment, since, state, mode, job_order: jobOrder } of rows) {
      await this.machineState({ equipment, since, jobOrder, state: state as MachineState['state'], mode: mode as MachineState['mode'] })
    }
  }

  async anomaly(anomaly: Anomaly): Promise<void> {
    if (anomaly.state === 'cleared') this.#anomalies.delete(anomaly.id)
    else this.#anomalies.set(anomaly.id, anomaly)
    const { changed } = await this.#judge(
      `anomaly ${anomaly.id}`,
      (tx, context) => judgeAnomaly(tx, anomaly, context),
      () => this.#again(anomaly.id),
    )
    // what was one anomaly's may now be another's: they had stood back behind it
    if (changed.some(({ status }) => status === 'withdrawn' || status === 'refused')) await this.#reconsider(anomaly.equipment)
  }

  async prognosis(prognosis: Prognosis): Promise<void> {
    const { equipment, indicator } = prognosis
    const key = `prognosis ${equipment}/${indicator}`
    if (prognosis.remainingMs === null) this.#prognoses.delete(key)
    else this.#prognoses.set(key, prognosis)
    const again = async (): Promise<void> => {
      const present = this.#prognoses.get(key)
      if (present !== undefined) await this.prognosis(present)
    }
    const { changed } = await this.#judge(key, (tx, context) => judgePrognosis(tx, prognosis, context), again)
    if (changed.some(({ status }) => status === 'withdrawn')) await this.#reconsider(equipment)
  }

  async machineState(unit: UnitState): Promise<void> {
    this.#units.set(unit.equipment, unit)
    const again = async (): Promise<void> => {
      const present = this.#units.get(unit.equipment)
      if (present?.state === 'NoSignal') await this.machineState(present)
    }
    await this.#judge(`unit ${unit.equipment}`, (tx, context) => judgeUnit(tx, unit, context), again)
  }

  /** A repaired unit has failed its trial, by its maintenance order. */
  async trialFailed(workOrder: string): Promise<void> {
    await this.#judge(`trial ${workOrder}`, (tx, context) => judgeTrial(tx, workOrder, context))
  }

  /** A person's answer to a proposal. Throws TAKT_DISRUPTION_UNKNOWN, TAKT_DISRUPTION_DECIDED, TAKT_DISRUPTION_SHADOW. */
  async answer(id: string, decision: 'accept' | 'refuse', by: string, why?: string): Promise<Disruption> {
    const { store, plant, actor } = this.#parts
    const decided = await store.transaction(async (tx) =>
      decision === 'accept' ? acceptDisruption(tx, plant(), id, by, actor) : refuseDisruption(tx, id, by, why, actor),
    )
    this.#parts.changed(decided)
    return decided
  }

  /** People or tools are not there, by a person's word; `by` is who is known to say so. Throws what `readAway` and `recordAway` do. */
  async away(payload: unknown, by: string | undefined, where: string): Promise<void> {
    const { store, plant, actor } = this.#parts
    const said = readAway(payload, plant(), where)
    const away = by === undefined ? said : { ...said, by }
    this.#parts.changed(await store.transaction((tx) => recordAway(tx, plant(), away, actor)))
  }

  /** They are back. Throws what `readBack` does. */
  async back(payload: unknown, by: string | undefined, where: string): Promise<void> {
    const { store, plant, actor } = this.#parts
    const said = readBack(payload, plant(), where)
    const back = by === undefined ? said : { ...said, by }
    for (const disruption of await store.transaction((tx) => recordBack(tx, plant(), back, actor))) this.#parts.changed(disruption)
  }

  /** Material that comes at another time: what waits for it is planned anew. Throws what `readMaterialTime` and `setMaterialTime` do. */
  async material(payload: unknown, by: string | undefined, where: string): Promise<void> {
    const { store, plant, actor } = this.#parts
    const time = readMaterialTime(payload, plant(), where)
    const { why } = payload as { why?: unknown }
    const said = typeof why === 'string' && why !== '' ? why.slice(0, 1000) : 'the material comes at another time'
    await store.transaction((tx) => setMaterialTime(tx, time, { actor, why: by === undefined ? said : `${by}: ${said}` }))
  }

  stop(): void {
    this.#unsubscribe()
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
  }

  async #judge(key: string, judge: (tx: StoreTransaction, context: JudgeContext) => Promise<Judgement>, again?: () => Promise<void>): Promise<Judgement> {
    const { store, plant, settings, actor, clock } = this.#parts
    this.#timers.get(key)?.()
    this.#timers.delete(key)
    const judgement = await store.transaction((tx) => judge(tx, { plant: plant(), settings, autonomy: this.#autonomy, actor }))
    for (const disruption of judgement.changed) this.#parts.changed(disruption)
    if (judgement.again !== undefined && again !== undefined) {
      const later = clock.after(Math.max(1, judgement.again - clock.now()), () => void again().catch((thrown: unknown) => this.#parts.failed(thrown)))
      this.#timers.set(key, later)
    }
    return judgement
  }

  async #failedTrials(): Promise<void> {
    for (const { id } of await this.#parts.store.list('work-order', { where: { service: 'failed' }, orderBy: 'ledger' })) await this.trialFailed(id)
  }

  async #again(id: string): Promise<void> {
    const anomaly = this.#anomalies.get(id)
    if (anomaly !== undefined) await this.anomaly(anomaly)
  }

  async #reconsider(equipment: string): Promise<void> {
    for (const anomaly of [...this.#anomalies.values()]) if (anomaly.equipment === equipment) await this.anomaly(anomaly)
    for (const prognosis of [...this.#prognoses.values()]) if (prognosis.equipment === equipment) await this.prognosis(prognosis)
  }
}
