import type { PlantFault } from './check-plant.ts'
import type { Operation, PlantModel } from './model.ts'
import { readTime } from './moment.ts'
import { nominalCapacity } from './resource-time.ts'
import type { Away, Need, PersonnelClass, Tool } from './resources.ts'

/** Personnel, tools, crews and what operations need of them: names that lead nowhere, times that are none, more than there are. */
export class ResourceCheck {
  readonly faults: PlantFault[] = []
  readonly #model: PlantModel
  readonly #timeZone: string
  readonly #personnel: ReadonlyMap<string, PersonnelClass>
  readonly #tools: ReadonlyMap<string, Tool>

  constructor(model: PlantModel) {
    this.#model = model
    this.#timeZone = isTimeZone(model.timeZone ?? 'UTC') ? (model.timeZone ?? 'UTC') : 'UTC'
    this.#personnel = new Map(model.personnel?.map((one) => [one.id, one]))
    this.#tools = new Map(model.tools?.map((one) => [one.id, one]))
    const seen = new Set<string>()
    const unique = (id: string, path: string): void => {
      if (seen.has(id)) this.#fault(`${path}/id`, `'${id}' is used twice among personnel and tools`)
      seen.add(id)
    }
    model.personnel?.forEach((one, index) => {
      unique(one.id, `/personnel/${index}`)
      this.#people(one, `/personnel/${index}`)
      this.#away(one.away, `/personnel/${index}/away`)
    })
    model.tools?.forEach((one, index) => {
      unique(one.id, `/tools/${index}`)
      this.#away(one.away, `/tools/${index}/away`)
    })
    for (const [index, equipment] of model.equipment.entries()) this.#crew(equipment.maintenance, `/equipment/${index}/maintenance`)
    model.workMasters?.forEach((master, index) => {
      for (const [at, operation] of master.operations.entries()) this.#operation(operation, `/workMasters/${index}/operations/${at}`)
    })
  }

  #fault(path: string, what: string): void {
    this.faults.push({ path, what })
  }

  #people({ people, calendar: name }: PersonnelClass, path: string): void {
    const calendar = name === undefined || !Object.hasOwn(this.#model.calendars ?? {}, name) ? undefined : this.#model.calendars?.[name]
    if (name !== undefined && calendar === undefined) this.#fault(`${path}/calendar`, `there is no calendar '${name}'`)
    if (typeof people === 'number') return
    if (name === undefined) this.#fault(`${path}/people`, 'people by shift need a calendar with these shifts')
    for (const shift of Object.keys(people)) {
      if (calendar !== undefined && !calendar.shifts.some((one) => one.name === shift))
        this.#fault(`${path}/people/${shift}`, `the calendar '${name}' has no shift '${shift}'`)
    }
  }

  #away(away: readonly Away[] | undefined, path: string): void {
    away?.forEach(({ from, to }, index) => {
      const begin = readTime(from, this.#timeZone)
      const end = to === undefined ? Number.POSITIVE_INFINITY : readTime(to, this.#timeZone)
      if (begin === undefined) this.#fault(`${path}/${index}/from`, `'${from}' is not a time`)
      if (end === undefined) this.#fault(`${path}/${index}/to`, `'${to}' is not a time`)
      if (begin !== undefined && end !== undefined && end <= begin) this.#fault(`${path}/${index}`, `it ends at ${to}, not after it begins`)
    })
  }

  #crew(maintenance: PlantModel['equipment'][number]['maintenance'], path: string): void {
    const { crew, crewSize } = maintenance ?? {}
    if (crewSize === undefined) return
    const people = crew === undefined ? undefined : this.#personnel.get(crew)
    if (people === undefined) this.#fault(`${path}/crewSize`, `a crew with a size is a personnel class, and '${crew ?? '(none)'}' is none`)
    else if (crewSize > nominalCapacity(people)) this.#fault(`${path}/crewSize`, `${crewSize} of ${crew} are needed, and there are ${nominalCapacity(people)}`)
  }

  #operation(operation: Operation, path: string): void {
    operation.skills?.forEach((skill, index) => {
      if (this.#model.personnel !== undefined && !this.#personnel.has(skill)) this.#fault(`${path}/skills/${index}`, `there is no personnel class '${skill}'`)
    })
    this.#needs(operation.needs, `${path}/needs`)
    for (const [index, { needs }] of operation.alternatives.entries()) this.#needs(needs, `${path}/alternatives/${index}/needs`)
  }

  #needs(needs: readonly Need[] | undefined, path: string): void {
    for (const [index, { personnel, tool, count = 1 }] of (needs ?? []).entries()) {
      const here = `${path}/${index}`
      const resource = personnel === undefined ? this.#tools.get(tool ?? '') : this.#personnel.get(personnel)
      if ((personnel === undefined) === (tool === undefined)) this.#fault(here, 'needs either personnel or a tool')
      else if (resource === undefined && personnel !== undefined) this.#fault(`${here}/personnel`, `there is no personnel class '${personnel}'`)
      else if (resource === undefined) this.#fault(`${here}/tool`, `there is no tool '${tool}'`)
      else if (count > nominalCapacity(resource)) this.#fault(here, `${count} of '${resource.id}' are needed, and there are ${nominalCapacity(resource)}`)
    }
  }
}

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name })
    return true
  } catch {
    return false
  }
}
