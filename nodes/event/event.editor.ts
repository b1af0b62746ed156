import type { EditorNodeProperties, EditorRED } from 'node-red'

declare const RED: EditorRED

interface EventProperties extends EditorNodeProperties {
  store: string
  types: string
  from: string
}

interface Translating {
  _(key: string): string
}

/** Only to suggest; any type may be typed. */
const COMMON_TYPES = [
  'work-order.*',
  'work-order.created',
  'work-order.completed',
  'job-order.*',
  'job-order.running',
  'job-order.completed',
  'job-response.recorded',
  'machine-state.changed',
  'count.recorded',
  'anomaly.*',
  'anomaly.raised',
  'disruption.*',
  'disruption.proposed',
  'plan.published',
  'quality-result.recorded',
  'lot.*',
  'lot.held',
  'report.written',
  'message.quarantined',
  'ledger.*',
]

RED.nodes.registerType<EventProperties>('takt-event', {
  category: 'MES',
  color: '#F2C879',
  defaults: {
    name: { value: '' },
    store: { value: '', type: 'takt-store', required: true },
    types: {
      value: '',
      validate: function (this: unknown, value: string) {
        return /^[\w.*\-, ]*$/.test(value ?? '') || (this as Translating)._('event.validation.types')
      } as never,
    },
    from: { value: 'now', required: true, validate: (value: string) => ['now', 'last', 'beginning'].includes(value) },
  },
  inputs: 0,
  outputs: 1,
  icon: 'event.svg',
  label() {
    return this.name || this.types || this._('event.label.palette')
  },
  paletteLabel: 'event',
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  outputLabels: 'event',
  oneditprepare() {
    const list = $('#takt-event-types')
    for (const type of COMMON_TYPES) $('<option>').attr('value', type).appendTo(list)
  },
})
