import { TaktError } from '../../base/error.ts'
import type { Plant } from '../../plant/plant.ts'
import { fillTemplate } from '../topics.ts'

/** Which Sparkplug device stands for which equipment. `{path}` is the equipment's path below the plant with `:` for `/`, `{line}` and `{unit}` its last two parts. */
export class EdgeDevices {
  readonly #template: string
  readonly #where: string
  readonly #devices = new Map<string, string>()
  readonly #equipment = new Map<string, string>()
  #plant = ''

  constructor(template: string, where: string) {
    this.#template = template
    this.#where = where
  }

  /** Names every unit of the plant. Throws TAKT_SPARKPLUG_NAME where two would be the same device, or one has no name. */
  use(plant: Plant): void {
    this.#devices.clear()
    this.#equipment.clear()
    this.#plant = plant.model.plant
    for (const { id } of plant.units) this.deviceOf(id)
  }

  /** Throws TAKT_SPARKPLUG_NAME for equipment that hosts could not tell from another. */
  deviceOf(equipment: string): string {
    const known = this.#devices.get(equipment)
    if (known !== undefined) return known
    const device = this.#nameOf(equipment)
    const other = this.#equipment.get(device.toLowerCase())
    if (other !== undefined) this.#refuse(`'${other}' and '${equipment}' would both be the device '${device}'`)
    this.#devices.set(equipment, device)
    this.#equipment.set(device.toLowerCase(), equipment)
    return device
  }

  equipmentOf(device: string): string | undefined {
    return this.#equipment.get(device.toLowerCase())
  }

  #nameOf(equipment: string): string {
    const below = equipment.startsWith(`${this.#plant}/`) ? equipment.slice(this.#plant.length + 1) : equipment
    const parts = below.split('/')
    const device = fillTemplate(this.#template, { path: parts.join(':'), line: parts.at(-2) ?? '', unit: parts.at(-1) ?? '' })
    if (device === undefined || !isSparkplugId(device)) return this.#refuse(`'${device ?? this.#template}' cannot be the name of a device (${equipment})`)
    return device
  }

  #refuse(what: string): never {
    throw new TaktError('TAKT_SPARKPLUG_NAME', { what, where: this.#where })
  }
}

/** Group, edge node, device and host ids are one level of a topic (Sparkplug 3.0, 4.1). */
export function isSparkplugId(text: string): boolean {
  return text !== '' && text.length <= 200 && !/[/+#\0]/.test(text)
}
