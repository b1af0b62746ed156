import type { EditorNodeProperties, EditorRED } from 'node-red'
import { optionalNumber } from '../shared/sample-fields.editor.ts'

declare const RED: EditorRED

interface Item {
  nodeId: string
  topic: string
}

interface OpcuaSensorProperties extends EditorNodeProperties {
  plant: string
  endpoint: string
  store: string
  mode: string
  items: Item[]
  publishing: string
  sampling: string
  queueSize: string
  discardOldest: boolean
  maxFutureSeconds: string
  maxAgeDays: string
}

/** A node of the server's address space, as the runtime's browse answers it. */
interface Browsed {
  readonly nodeId: string
  readonly name: string
  readonly variable: boolean
}

interface Branch {
  readonly label: string
  readonly icon: string
  readonly browsed: Browsed
  readonly children?: (done: (branches: Branch[]) => void) => void
}

interface Translating {
  _(key: string): string
}

function isComplete(item: Item): boolean {
  return item.nodeId.trim() !== '' && /^[^/]+(\/[^/]+)+$/.test(item.topic.trim())
}

RED.nodes.registerType<OpcuaSensorProperties>('takt-opcua-sensor', {
  category: 'IIoT',
  color: '#8FC7D1',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: true },
    endpoint: { value: '', type: 'takt-opcua-endpoint', required: true },
    store: { value: '', type: 'takt-store', required: false },
    mode: { value: 'bindings', required: true },
    items: {
      value: [],
      validate: function (this: unknown, items: Item[]) {
        if ((this as OpcuaSensorProperties).mode !== 'list') return true
        return (Array.isArray(items) && items.length > 0 && items.every(isComplete)) || (this as Translating)._('opcua-sensor.validation.items')
      } as never,
    },
    publishing: { value: '', validate: optionalNumber(10, 3_600_000) },
    sampling: { value: '', validate: optionalNumber(-1, 3_600_000) },
    queueSize: { value: '', validate: optionalNumber(1, 100_000) },
    discardOldest: { value: true },
    maxFutureSeconds: { value: '', validate: optionalNumber(0) },
    maxAgeDays: { value: '', validate: optionalNumber(1) },
  },
  inputs: 0,
  outputs: 1,
  icon: 'opcua-sensor.svg',
  paletteLabel: 'opcua sensor',
  label() {
    return this.name || 'opcua sensor'
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  outputLabels: 'samples',
  oneditprepare() {
    const texts = this as unknown as Translating
    const mode = $('#node-input-mode')
    const list = $('#takt-opcua-sensor-items')
    list.editableList({
      addItem: (row: JQuery, _index: number, item: Partial<Item>) => {
        row.css({ display: 'flex', gap: '6px' })
        const field = (key: keyof Item, placeholder: string): void => {
          $('<input type="text">')
            .addClass(`takt-opcua-sensor-${key}`)
            .attr('placeholder', placeholder)
            .css({ flex: key === 'nodeId' ? '5' : '4', width: '0' })
            .val(item[key] ?? '')
            .appendTo(row)
        }
        field('nodeId', 'ns=1;s=Mill2.Vibration')
        field('topic', texts._('opcua-sensor.placeholder.topic'))
      },
      removable: true,
      sortable: true,
      height: 180,
    } as never)
    list.editableList('addItems', ((this as unknown as OpcuaSensorProperties).items ?? []) as never)
    mode
      .on('change', () => {
        $('.takt-opcua-sensor-list').toggle(mode.val() === 'list')
        $('.takt-opcua-sensor-bindings').toggle(mode.val() !== 'list')
        $('#takt-opcua-sensor-tree').hide()
      })
      .trigger('change')
    prepareBrowser((browsed) => list.editableList('addItem', { nodeId: browsed.nodeId, topic: '' } as never), texts)
  },
  oneditsave() {
    const items: Item[] = []
    $('#takt-opcua-sensor-items')
      .editableList('items')
      .each(function () {
        const read = (key: keyof Item): string => String($(this).find(`.takt-opcua-sensor-${key}`).val() ?? '').trim()
        const item = { nodeId: read('nodeId'), topic: read('topic') }
        if (item.nodeId !== '' || item.topic !== '') items.push(item)
      })
    ;(this as unknown as OpcuaSensorProperties).items = items
  },
})

/** The server's address space as a tree, asked for level by level; a double click takes a variable. */
function prepareBrowser(take: (browsed: Browsed) => void, texts: Translating): void {
  const tree = $('#takt-opcua-sensor-tree')
  const problem = $('#takt-opcua-sensor-problem')
  const ask = (nodeId: string | undefined, done: (branches: Branch[]) => void): void => {
    const endpoint = String($('#node-input-endpoint').val() ?? '')
    problem.text('')
    $.getJSON(`takt/opcua-endpoint/${encodeURIComponent(endpoint)}/browse`, nodeId === undefined ? {} : { nodeId })
      .done((found: Browsed[]) => done(found.map(branch)))
      .fail((answer) => {
        problem.text((answer.responseJSON as { message?: string } | undefined)?.message ?? texts._('opcua-sensor.validation.browse'))
        done([])
      })
  }
  const branch = (browsed: Browsed): Branch => ({
    label: browsed.name,
    icon: browsed.variable ? 'fa fa-tachometer' : 'fa fa-folder-o',
    browsed,
    children: (done) => ask(browsed.nodeId, done),
  })
  ;(tree as unknown as { treeList(options: unknown): void }).treeList({ data: [] })
  tree.on('treelistconfirm', (_event: unknown, item: Branch) => {
    if (item.browsed.variable) take(item.browsed)
  })
  $('#takt-opcua-sensor-browse').on('click', (event) => {
    event.preventDefault()
    ask(undefined, (branches) => {
      if (branches.length === 0) return
      ;(tree as unknown as { treeList(method: 'data', branches: Branch[]): void }).treeList('data', branches)
      tree.show()
    })
  })
}
