import type { EditorNodeProperties, EditorRED } from 'node-red'
import { optionalNumber, prepareSampleFields, SAMPLE_FIELDS } from '../shared/sample-fields.editor.ts'

declare const RED: EditorRED

interface AnomalyProperties extends EditorNodeProperties {
  plant: string
  store: string
  method: string
  sensitivity: string
  warmup: string
  low: string
  high: string
  rate: string
  ratePer: string
  lambda: string
  width: string
  window: string
  threshold: string
  stuckFor: string
  tolerance: string
  holdOff: string
  clearAfter: string
  escalateAfter: string
  roles: string
  filter: string
  judgeOnlyIn: string
  settle: string
  maxSignals: string
  saveEvery: string
  value: string
  valueType: string
  signal: string
  signalType: string
  time: string
  timeType: string
}

const METHODS = ['auto', 'limits', 'rate', 'ewma', 'robust-z', 'stuck']
const ROLES = ['packml-state', 'packml-mode', 'job-order', 'good-count', 'scrap-count', 'condition', 'characteristic', 'other', 'all']

/** Words by commas, each one of a list; or an environment variable. */
function words(allowed: readonly string[]): (value: string) => boolean {
  return (value) =>
    /^\$\{\w+\}$/.test(value ?? '') ||
    (value ?? '')
      .split(',')
      .map((word) => word.trim())
      .every((word) => word === '' || allowed.includes(word))
}

RED.nodes.registerType<AnomalyProperties>('takt-anomaly', {
  category: 'IIoT',
  color: '#8FC7D1',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: false },
    store: { value: '', type: 'takt-store', required: false },
    method: { value: 'auto', validate: (value: string) => METHODS.includes(value ?? 'auto') },
    sensitivity: { value: 'normal', validate: (value: string) => ['low', 'normal', 'high'].includes(value ?? 'normal') },
    warmup: { value: '', validate: optionalNumber(5, 100_000) },
    low: { value: '', validate: optionalNumber(-Number.MAX_VALUE) },
    high: {
      value: '',
      validate: function (this: unknown, value: string) {
        const { low } = this as AnomalyProperties
        return (
          optionalNumber(-Number.MAX_VALUE)(value) && (low === '' || value === '' || low === undefined || value === undefined || Number(value) > Number(low))
        )
      } as never,
    },
    rate: {
      value: '',
      validate: function (this: unknown, value: string) {
        return ((this as AnomalyProperties).method ?? 'auto') !== 'rate' || (Boolean(value) && optionalNumber(Number.MIN_VALUE)(value))
      } as never,
    },
    ratePer: { value: 'second' },
    lambda: { value: '0.2', validate: optionalNumber(0.001, 1) },
    width: { value: '4', validate: optionalNumber(0.5, 100) },
    window: { value: '100', validate: optionalNumber(10, 10_000) },
    threshold: { value: '6', validate: optionalNumber(0.5, 1000) },
    stuckFor: { value: '300', validate: optionalNumber(0.001) },
    tolerance: { value: '0', validate: optionalNumber(0) },
    holdOff: { value: '0', validate: optionalNumber(0) },
    clearAfter: { value: '60', validate: optionalNumber(0) },
    escalateAfter: { value: '30', validate: optionalNumber(0) },
    roles: { value: '', validate: words(ROLES) },
    filter: { value: '' },
    judgeOnlyIn: { value: '' },
    settle: { value: '0', validate: optionalNumber(0, 86_400) },
    maxSignals: { value: '10000', validate: optionalNumber(1, 1_000_000) },
    saveEvery: { value: '60', validate: optionalNumber(1, 86_400) },
    ...SAMPLE_FIELDS,
  },
  inputs: 1,
  outputs: 2,
  icon: 'anomaly.svg',
  paletteLabel: 'anomaly',
  label() {
    return this.name || ((this.method ?? 'auto') === 'auto' ? 'anomaly' : `anomaly: ${this.method}`)
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels: 'samples, machine states',
  outputLabels: ['anomalies', 'samples with score and band'],
  oneditprepare() {
    prepareSampleFields({ now: this._('anomaly.type.now'), good: '' })
    // a flow made by hand may leave out what has a default
    for (const [field, fallback] of Object.entries({ method: 'auto', sensitivity: 'normal', ratePer: 'second' })) {
      const input = $(`#node-input-${field}`)
      if (!input.val()) input.val(fallback)
    }
    const method = $('#node-input-method')
    method
      .on('change', () => {
        $('.takt-anomaly-method').hide()
        $(`.takt-anomaly-${String(method.val())}`).show()
      })
      .trigger('change')
    const more = $('#takt-anomaly-more')
    more.on('change', () => $('.takt-anomaly-rare').toggle(more.is(':checked'))).trigger('change')
  },
})
