import type { EditorNodeProperties, EditorRED } from 'node-red'
import { optionalNumber, prepareSampleFields, SAMPLE_FIELDS } from '../shared/sample-fields.editor.ts'

declare const RED: EditorRED

interface SensorProperties extends EditorNodeProperties {
  plant: string
  store: string
  delivery: 'role' | 'guaranteed' | 'fast'
  value: string
  valueType: string
  signal: string
  signalType: string
  time: string
  timeType: string
  quality: string
  qualityType: string
  equipment: string
  unit: string
  maxFutureSeconds: string
  maxAgeDays: string
}

RED.nodes.registerType<SensorProperties>('takt-sensor', {
  category: 'IIoT',
  color: '#8FC7D1',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: false },
    store: { value: '', type: 'takt-store', required: false },
    delivery: { value: 'role' },
    ...SAMPLE_FIELDS,
    quality: { value: '' },
    qualityType: { value: 'good' },
    equipment: { value: '', validate: (value: string) => /^[^\s+#]*$/.test(value ?? '') },
    unit: { value: '', validate: (value: string) => (value ?? '').length <= 40 },
    maxFutureSeconds: { value: '60', validate: optionalNumber(0, 31_622_400) },
    maxAgeDays: { value: '366', validate: optionalNumber(1, 36_525) },
  },
  inputs: 1,
  outputs: 1,
  icon: 'sensor.svg',
  paletteLabel: 'sensor',
  label() {
    return this.name || (this.signalType === 'str' ? this.signal : '') || this.equipment || 'sensor'
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels: 'any message with a value',
  outputLabels: 'samples',
  oneditprepare() {
    if (!$('#node-input-delivery').val()) $('#node-input-delivery').val('role')
    prepareSampleFields({ now: this._('sensor.type.now'), good: this._('sensor.type.good') })
  },
})
