import { createHash } from 'node:crypto'

/** A node as a flow file has it. */
export interface FlowNode {
  readonly id: string
  readonly type: string
  readonly [property: string]: unknown
}

/** What a node is set to; the builder adds id, place and wires. */
export interface Settings {
  readonly type: string
  readonly name?: string
  readonly [property: string]: unknown
}

interface Placed {
  readonly id: string
  readonly settings: Settings
  readonly column: number
  readonly row: number
  readonly wires: string[][]
  readonly links: string[]
}

const COLUMN = 240
const ROW = 60
const PAD = 26
const LABEL = 34
const GAP = 24
/** Room for the button of an inject node, which stands out to the left. */
const LEFT = 54

/** Flow files know nodes by 16 hex digits; made from the key, they stay the same from build to build. */
export function idOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16)
}

/** As wide as the editor draws a node with this label, near enough to lay out. */
function widthOf(settings: Settings): number {
  const { length } = settings.name ?? settings.type
  return Math.max(100, 20 * Math.ceil((length * (length > 40 ? 6 : 7) + 57) / 20))
}

/** A box with a title around nodes on a grid of columns and rows. */
class Group {
  readonly nodes = new Map<string, Placed>()
  readonly key: string
  readonly title: string
  readonly beside: boolean

  constructor(key: string, title: string, beside: boolean) {
    this.key = key
    this.title = title
    this.beside = beside
  }

  get width(): number {
    return Math.max(this.title.length * 7.5, ...[...this.nodes.values()].map((node) => node.column * COLUMN + widthOf(node.settings))) + 2 * PAD
  }

  get height(): number {
    return (Math.max(...[...this.nodes.values()].map((node) => node.row)) + 1) * ROW + LABEL
  }
}

/**
 * Builds a flow file that reads well: tabs of groups, groups of nodes on a grid. Keys name nodes while building:
 * `flow.tab(…); flow.group(…); flow.node('sensor', …)`, then `flow.wire('sensor', 'state')`. A wire to another tab goes through link nodes.
 */
export class FlowBuilder {
  readonly #configs: FlowNode[] = []
  readonly #tabs: { readonly id: string; readonly label: string; readonly info: string; readonly groups: Group[] }[] = []
  readonly #places = new Map<string, { readonly tab: string; readonly placed: Placed }>()

  /** A config node; returns its id. */
  config(key: string, settings: Settings): string {
    const id = idOf(key)
    this.#configs.push({ id, ...settings })
    return id
  }

  tab(label: string, info: string): void {
    this.#tabs.push({ id: idOf(`tab ${label}`), label, info, groups: [] })
  }

  /** Begins a group below the last one, or beside it. */
  group(title: string, options: { readonly beside?: boolean } = {}): void {
    this.#tab.groups.push(new Group(`${this.#tab.label}/${title}`, title, options.beside ?? false))
  }

  /** Puts a node into the group that was begun last. */
  node(key: string, settings: Settings, [column, row]: readonly [number, number]): void {
    const group = this.#tab.groups.at(-1)
    if (group === undefined || this.#places.has(key)) throw new Error(`node ${key}: no group, or the key is used twice`)
    const placed: Placed = { id: idOf(`node ${key}`), settings, column, row, wires: [], links: [] }
    group.nodes.set(key, placed)
    this.#places.set(key, { tab: this.#tab.id, placed })
  }

  /** A sentence for the reader of the flow. */
  comment(text: string, at: readonly [number, number], info = ''): void {
    this.node(`comment ${text}`, { type: 'comment', name: text, info }, at)
  }

  /** From an output (0 without a number, `key:1`) to one or more inputs. */
  wire(from: string, ...to: string[]): void {
    const [key = '', port = '0'] = from.split(':')
    const { tab, placed } = this.#at(key)
    while (placed.wires.length <= Number(port)) placed.wires.push([])
    for (const target of to) {
      const other = this.#at(target)
      if (other.tab !== tab) throw new Error(`${from} → ${target} crosses tabs: use link nodes`)
      placed.wires[Number(port)]?.push(other.placed.id)
    }
  }

  /** A wire between two link nodes, also across tabs. */
  link(out: string, ...into: string[]): void {
    for (const key of into) {
      this.#at(out).placed.links.push(this.#at(key).placed.id)
      this.#at(key).placed.links.push(this.#at(out).placed.id)
    }
  }

  idOfNode(key: string): string {
    return this.#at(key).placed.id
  }

  build(): FlowNode[] {
    return [
      ...this.#tabs.map(({ id, label, info }) => ({ id, type: 'tab', label, disabled: false, info, env: [] })),
      ...this.#configs,
      ...this.#tabs.flatMap(lay),
    ]
  }

  get #tab(): { readonly id: string; readonly label: string; readonly groups: Group[] } {
    const tab = this.#tabs.at(-1)
    if (tab === undefined) throw new Error('no tab has been begun')
    return tab
  }

  #at(key: string): { readonly tab: string; readonly placed: Placed } {
    const place = this.#places.get(key)
    if (place === undefined) throw new Error(`there is no node '${key}'`)
    return place
  }
}

function lay(tab: { readonly id: string; readonly groups: readonly Group[] }): FlowNode[] {
  const made: FlowNode[] = []
  let x = 0
  let y = 14
  let lowest = 14
  for (const group of tab.groups) {
    if (!group.beside) {
      x = LEFT
      y = lowest
    }
    const id = idOf(`group ${group.key}`)
    const style = { label: true, stroke: '#a4a4a4', 'stroke-opacity': '1', fill: 'none', color: '#777777' }
    const nodes = [...group.nodes.values()]
    made.push({ id, type: 'group', z: tab.id, name: group.title, style, nodes: nodes.map((node) => node.id), x, y, w: group.width, h: group.height })
    for (const node of nodes) {
      const isLink = node.settings.type.startsWith('link ')
      made.push({
        id: node.id,
        z: tab.id,
        g: id,
        ...(isLink ? { l: true } : {}),
        ...node.settings,
        ...(isLink ? { links: node.links } : {}),
        x: Math.round(x + PAD + node.column * COLUMN + widthOf(node.settings) / 2),
        y: Math.round(y + LABEL + node.row * ROW + 20),
        wires: node.wires,
      })
    }
    lowest = Math.max(lowest, y + group.height + GAP)
    x += group.width + GAP + LEFT
  }
  return made
}
