import { TaktError } from '../../base/error.ts'
import { DATA_TYPES } from './datatypes.ts'
import type { EdgeValue } from './edge-unit.ts'
import type { Metric, Template } from './payload.ts'

/** The template definitions of an edge node (Sparkplug 3.0, 6.4.13): announced in its NBIRTH and nowhere else, and what every instance is held against. */
export class EdgeTemplates {
  readonly #definitions: ReadonlyMap<string, Template>
  readonly #where: string

  /** Each by the name that instances refer to. Throws TAKT_SPARKPLUG_VALUE for a definition without members. */
  constructor(definitions: ReadonlyMap<string, Omit<Template, 'isDefinition' | 'templateRef'>>, where: string) {
    this.#where = where
    for (const [name, { metrics }] of definitions) {
      if (metrics.length === 0 || metrics.some((member) => member.name === undefined || member.datatype === undefined))
        this.#refuse(`the template '${name}' needs members, each with name and data type`)
    }
    this.#definitions = definitions
  }

  /** What the NBIRTH says of them. */
  metrics(timestamp: number): Metric[] {
    return [...this.#definitions].map(([name, definition]) => ({
      name,
      timestamp,
      datatype: DATA_TYPES.Template,
      value: { ...definition, isDefinition: true },
    }))
  }

  /** The value as it is published: an instance has all members of its definition and no others, each of the type that the definition says. */
  checked(value: EdgeValue): EdgeValue {
    if (value.datatype !== DATA_TYPES.Template || value.value === null) return value
    const instance = value.value as Template
    const definition = instance.templateRef === undefined ? undefined : this.#definitions.get(instance.templateRef)
    if (definition === undefined) return this.#refuse(`'${value.name}' refers to the template '${instance.templateRef ?? ''}', which is not defined`)
    const members = new Map(definition.metrics.map((member) => [member.name, member.datatype]))
    const wrong = instance.metrics.find((member) => members.get(member.name) !== member.datatype)
    if (wrong !== undefined) this.#refuse(`the member '${wrong.name}' of '${value.name}' is not in its template with this type`)
    if (new Set(instance.metrics.map((member) => member.name)).size !== members.size) this.#refuse(`'${value.name}' has not every member of its template`)
    const parameters = new Set(definition.parameters.map((parameter) => parameter.name))
    if (instance.parameters.some((parameter) => !parameters.has(parameter.name))) this.#refuse(`'${value.name}' has a parameter that its template has not`)
    return { ...value, value: { ...instance, isDefinition: false } }
  }

  #refuse(what: string): never {
    throw new TaktError('TAKT_SPARKPLUG_VALUE', { what, where: this.#where })
  }
}
