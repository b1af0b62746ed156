import type { EditorNodeProperties, EditorRED } from 'node-red'
import { optionalNumber } from '../shared/sample-fields.editor.ts'
import { type Browsed, prepareBrowser } from './browse.editor.ts'

declare const RED: EditorRED

interface Item {
  nodeId: string
  path: string
  topic: string
  deadband: string
}

interface OpcuaSensorProperties extends EditorNodeProperties {
  plant: string
  endpoint: string
  store: string
  mode: string
  items: Item[]
  delivery: string
  publishing: string
  sampling: string
  queueSize: string
  discardOldest: boolean
  keep: string
  maxFutureSeconds: string
  maxAgeDays: string
}

interface Translating {
  _(key: string): string
}

function isComplete({ nodeId, topic, deadband = '' }: Item): boolean {
  return nodeId.trim() !== '' && /^[^/]+(\/[^/]+)+$/.test(topic.trim()) && /^(\d+(\.\d+)?\s*%?)?$/.test(deadband.trim())
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
    delivery: { value: 'role' },
    publishing: { value: '', validate: optionalNumber(10, 3_600_000) },
    sampling: { value: '', validate: optionalNumber(-1, 3_600_000) },
    queueSize: { value: '', validate: optionalNumber(1, 100_000) },
    discardOldest: { value: true },
    keep: { value: '', validate: optionalNumber(1, 10_080) },
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
    if (!$('#node-input-delivery').val()) $('#node-input-delivery').val('role')
    const texts = this as unknown as Translating
    const mode = $('#node-input-mode')
    const list = $('#takt-opcua-sensor-items')
    let signals: readonly string[] = []
    list.editableList({
      addItem: (row: JQuery, _index: number, item: Partial<Item>) => {
        row.css({ display: 'flex', gap: '6px' })
        const field = (key: keyof Item, placeholder: string, width: string): JQuery =>
          $('<input type="text">')
            .addClass(`takt-opcua-sensor-${key}`)
            .attr('placeholder', placeholder)
            .css({ flex: width, width: '0' })
            .val(item[key] ?? '')
            .appendTo(row)
        field('nodeId', 'ns=1;s=Mill2.Vibration', '5')
        field('path', texts._('opcua-sensor.placeholder.path'), '2')
        const topic = field('topic', texts._('opcua-sensor.placeholder.topic'), '5')
        ;(topic as unknown as { autoComplete(options: unknown): void }).autoComplete({
          minLength: 0,
          search: (text: string) =>
            signals
              .filter((signal) => signal.toLowerCase().includes(text.toLowerCase()))
              .slice(0, 20)
              .map((signal) => ({ value: signal, label: signal })),
        })
        field('deadband', texts._('opcua-sensor.placeholder.deadband'), '2')
      },
      removable: true,
      sortable: true,
      height: 180,
    } as never)
    const readSignals = (): void => {
      $.getJSON(`takt/opcua-sensor/signals/${encodeURIComponent(String($('#node-input-plant').val() ?? ''))}`).done((found: string[]) => {
        signals = found
      })
    }
    $('#node-input-plant').on('change', readSignals)
    readSignals()
    list.editableList('addItems', ((this as unknown as OpcuaSensorProperties).items ?? []) as never)
    mode
      .on('change', () => {
        $('.takt-opcua-sensor-list').toggle(mode.val() === 'list')
        $('.takt-opcua-sensor-bindings').toggle(mode.val() !== 'list')
        $('#takt-opcua-sensor-browser').hide()
      })
      .trigger('change')
    // an empty list has one empty row, which is no row
    const isEmpty = (row: JQuery): boolean =>
      String(row.find('.takt-opcua-sensor-nodeId').val() ?? '') === '' && String(row.find('.takt-opcua-sensor-topic').val() ?? '') === ''
    prepareBrowser(
      {
        failed: texts._('opcua-sensor.validation.browse'),
        nothing: texts._('opcua-sensor.validation.nothing'),
        incomplete: texts._('opcua-sensor.validation.incomplete'),
      },
      (picked: readonly Browsed[]) => {
        list.editableList('items').each(function () {
          if (isEmpty($(this))) list.editableList('removeItem', $(this).data('data') as never)
        })
        for (const { nodeId, path, name } of picked) list.editableList('addItem', { nodeId, path: path ?? '', topic: matching(signals, name) } as never)
      },
    )
  },
  oneditsave() {
    const items: Item[] = []
    $('#takt-opcua-sensor-items')
      .editableList('items')
      .each(function () {
        const read = (key: keyof Item): string => String($(this).find(`.takt-opcua-sensor-${key}`).val() ?? '').trim()
        const item = { nodeId: read('nodeId'), path: read('path'), topic: read('topic'), deadband: read('deadband') }
        if (item.nodeId !== '' || item.topic !== '') items.push(item)
      })
    ;(this as unknown as OpcuaSensorProperties).items = items
  },
})

/** The one signal of the plant that is called like the node; a person chooses where there are several or none. */
function matching(signals: readonly string[], name: string): string {
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  const found = signals.filter((signal) => plain(signal.slice(signal.lastIndexOf('/') + 1)) === plain(name))
  return found.length === 1 ? (found[0] ?? '') : ''
}
