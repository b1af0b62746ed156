import { openWindows, type Window } from './calendar.ts'
import type { Calendar, Characteristic, Equipment, EquipmentCommand, Operation, PlantModel, Signal, SignalRole, WorkMaster } from './model.ts'
import type { Need, PersonnelClass, Tool } from './resources.ts'

/** A signal with the equipment it belongs to. */
export interface BoundSignal {
  readonly equipment: Equipment
  readonly signal: Signal
}

/** So many of a personnel class or of a kind of tool. */
export interface ResourceNeed {
  resource: string
  count: number
}

/** A unit that can run an operation, its times there, and what it needs beside the unit; absent: nothing. */
export interface UnitTimes {
  readonly equipment: string
  readonly setupMs: number
  readonly perPieceMs: number
  readonly needs?: ResourceNeed[]
}

/** Answers questions about a checked plant model. Build it with `checkPlant`, which names every error. Immutable: a reload makes a new one. */
export class Plant {
  readonly model: PlantModel
  readonly #equipment = new Map<string, Equipment>()
  readonly #signals = new Map<string, BoundSignal>()
  readonly #workMasters = new Map<string, WorkMaster>()
  readonly #byClass = new Map<string, Equipment[]>()
  readonly #resources = new Map<string, PersonnelClass | Tool>()

  constructor(model: PlantModel) {
    this.model = model
    for (const equipment of model.equipment) {
      this.#equipment.set(equipment.id, equipment)
      for (const name of equipment.classes ?? []) this.#byClass.set(name, [...(this.#byClass.get(name) ?? []), equipment])
      for (const signal of equipment.signals ?? []) this.#signals.set(`${equipment.id}/${signal.name}`, { equipment, signal })
    }
    for (const resource of [...(model.personnel ?? []), ...(model.tools ?? [])]) this.#resources.set(resource.id, resource)
    for (const master of model.workMasters ?? []) {
      this.#workMasters.set(`${master.id}@${master.version}`, master)
      const newest = this.#workMasters.get(master.id)
      if (newest === undefined || newest.version < master.version) this.#workMasters.set(master.id, master)
    }
  }

  get timeZone(): string {
    return this.model.timeZone ?? 'UTC'
  }

  /** Every unit (level workUnit), in the order of the model. */
  get units(): readonly Equipment[] {
    return this.model.equipment.filter((equipment) => equipment.level === 'workUnit')
  }

  equipment(id: string): Equipment | undefined {
    return this.#equipment.get(id)
  }

  /** By `<equipment>/<signal>`, the topic of a sample. */
  signal(topic: string): BoundSignal | undefined {
    return this.#signals.get(topic)
  }

  signalsOf(equipment: string): readonly Signal[] {
    return this.#equipment.get(equipment)?.signals ?? []
  }

  /** The first signal of a unit with this role. */
  signalByRole(equipment: string, role: SignalRole): Signal | undefined {
    return this.signalsOf(equipment).find((signal) => signal.role === role)
  }

  /** Every signal bound to a connection (the name of a broker or endpoint node). */
  signalsOfConnection(connection: string): readonly BoundSignal[] {
    return [...this.#signals.values()].filter((bound) => bound.signal.source?.connection === connection)
  }

  command(equipment: string, name: string): EquipmentCommand | undefined {
    return this.#equipment.get(equipment)?.commands?.find((command) => command.name === name)
  }

  /** By `<id>@<version>`, or by id alone: the newest version. */
  workMaster(reference: string): WorkMaster | undefined {
    return this.#workMasters.get(reference)
  }

  operation(workMaster: string, operation: string): Operation | undefined {
    return this.workMaster(workMaster)?.operations.find((candidate) => candidate.id === operation)
  }

  characteristic(workMaster: string, operation: string, characteristic: string): Characteristic | undefined {
    return this.operation(workMaster, operation)?.characteristics?.find((candidate) => candidate.id === characteristic)
  }

  /** The units that can run an operation. A unit named by id takes its own times over those of its class. */
  unitsFor(operation: Operation): readonly UnitTimes[] {
    const units = new Map<string, UnitTimes>()
    for (const alternative of operation.alternatives) {
      const needs = this.#needsOf(operation, alternative.needs)
      const times = { setupMs: alternative.setupMs ?? 0, perPieceMs: alternative.perPieceMs, ...(needs.length === 0 ? {} : { needs }) }
      if (alternative.equipment !== undefined) units.set(alternative.equipment, { equipment: alternative.equipment, ...times })
      for (const unit of alternative.class === undefined ? [] : (this.#byClass.get(alternative.class) ?? [])) {
        if (!units.has(unit.id)) units.set(unit.id, { equipment: unit.id, ...times })
      }
    }
    return [...units.values()]
  }

  /** What an operation needs beside its unit; what is asked for twice is added up. */
  #needsOf({ skills = [], needs = [] }: Operation, instead: readonly Need[] | undefined): ResourceNeed[] {
    const sums = new Map<string, number>()
    // a model without people in it says nothing of them
    const people = this.model.personnel === undefined ? [] : skills.map((personnel): Need => ({ personnel }))
    for (const { personnel, tool, count = 1 } of instead ?? [...people, ...needs]) {
      const resource = personnel ?? tool ?? ''
      sums.set(resource, (sums.get(resource) ?? 0) + count)
    }
    return [...sums].map(([resource, count]) => ({ resource, count }))
  }

  /** A personnel class or a kind of tool; they share their ids. */
  resource(id: string): PersonnelClass | Tool | undefined {
    return this.#resources.get(id)
  }

  /** Set-up time on a unit from one family to another, by the matrix of its class; `undefined` where the model has none. */
  setupMs(equipment: string, from: string, to: string): number | undefined {
    for (const name of this.#equipment.get(equipment)?.classes ?? []) {
      const time = this.model.setups?.[name]?.[from]?.[to]
      if (time !== undefined) return time
    }
    return undefined
  }

  calendarOf(equipment: string): Calendar | undefined {
    const name = this.#equipment.get(equipment)?.calendar
    return name === undefined ? undefined : this.model.calendars?.[name]
  }

  /** When a unit is open between two times; the whole span when it has no calendar. */
  openWindows(equipment: string, from: number, to: number): readonly Window[] {
    const calendar = this.calendarOf(equipment)
    return calendar === undefined ? [{ from, to, shift: null }] : openWindows(calendar, this.timeZone, from, to)
  }

  /** The last part of the path, for people: `mill-2`. */
  nameOf(equipment: string): string {
    return this.#equipment.get(equipment)?.name ?? this.#resources.get(equipment)?.name ?? equipment.slice(equipment.lastIndexOf('/') + 1)
  }
}
