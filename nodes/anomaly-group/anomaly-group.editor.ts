import type { EditorNodeProperties, EditorRED } from 'node-red'
import { optionalNumber, prepareSampleFields, SAMPLE_FIELDS } from '../shared/sample-fields.editor.ts'

declare const RED: EditorRED

interface AnomalyGroupProperties extends EditorNodeProperties {
  plant: string
  store: string
  equipment: string
  signals: string
  sensitivity: string
  learnFor: string
  learnUnit: string
  every: string
  hold: string
  holdOff: string
  clearAfter: string
  escalateAfter: string
  judgeOnlyIn: string
  settle: string
  saveEvery: string
  value: string
  valueType: string
  signal: string
  signalType: string
  time: string
  timeType: string
}

RED.nodes.registerType<AnomalyGroupProperties>('takt-anomaly-group', {
  category: 'IIoT',
  color: '#8FC7D1',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant' },
    store: { value: '', type: 'takt-store', required: false },
    equipment: { value: '', required: true },
    // none: all of role condition
    signals: { value: '', validate: (value: string) => /^\$\{\w+\}$/.test(value ?? '') || (value ?? '').trim() === '' || /[^,\s][^,]*,\s*[^,\s]/.test(value) },
    sensitivity: { value: 'normal', validate: (value: string) => ['low', 'normal', 'high'].includes(value ?? 'normal') },
    // none: by the number of signals
    learnFor: { value: '', validate: optionalNumber(0, 1_000_000) },
    learnUnit: { value: 'rows', validate: (value: string) => ['rows', 'minutes', 'hours'].includes(value ?? 'rows') },
    every: { value: '0', validate: optionalNumber(0, 86_400) },
    hold: { value: '60', validate: optionalNumber(0) },
    holdOff: { value: '0', validate: optionalNumber(0) },
    clearAfter: { value: '60', validate: optionalNumber(0) },
    escalateAfter: { value: '30', validate: optionalNumber(0) },
    judgeOnlyIn: { value: '' },
    settle: { value: '0', validate: optionalNumber(0, 86_400) },
    saveEvery: { value: '60', validate: optionalNumber(1, 86_400) },
    ...SAMPLE_FIELDS,
  },
  inputs: 1,
  outputs: 2,
  icon: 'anomaly-group.svg',
  paletteLabel: 'anomaly group',
  label() {
    return this.name || (this.equipment ? `group: ${this.equipment.replace(/^.*\//, '')}` : 'anomaly group')
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels: 'samples, machine states',
  outputLabels: ['anomalies', 'rows with score and contributions'],
  oneditprepare() {
    prepareSampleFields({ now: this._('anomaly-group.type.now'), good: '' })
    // a flow made by hand may leave out what has a default
    for (const [field, fallback] of Object.entries({ sensitivity: 'normal', learnUnit: 'rows' })) {
      const input = $(`#node-input-${field}`)
      if (!input.val()) input.val(fallback)
    }
    const more = $('#takt-anomaly-group-more')
    more.on('change', () => $('.takt-anomaly-group-rare').toggle(more.is(':checked'))).trigger('change')
  },
})
