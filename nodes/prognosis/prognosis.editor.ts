import type { EditorNodeProperties, EditorRED } from 'node-red'
import { optionalNumber, prepareSampleFields, SAMPLE_FIELDS } from '../shared/sample-fields.editor.ts'

declare const RED: EditorRED

interface PrognosisProperties extends EditorNodeProperties {
  plant: string
  store: string
  indicator: string
  threshold: string
  direction: string
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

const ROLES = ['packml-state', 'packml-mode', 'job-order', 'good-count', 'scrap-count', 'condition', 'characteristic', 'other', 'all']

/** Roles by commas, or an environment variable. */
function isRoles(value: string): boolean {
  if (/^\$\{\w+\}$/.test(value ?? '')) return true
  return (value ?? '')
    .split(',')
    .map((word) => word.trim())
    .every((word) => word === '' || ROLES.includes(word))
}

RED.nodes.registerType<PrognosisProperties>('takt-prognosis', {
  category: 'IIoT',
  color: '#8FC7D1',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: false },
    store: { value: '', type: 'takt-store', required: false },
    indicator: { value: 'value', validate: (value: string) => ['value', 'score'].includes(value ?? 'value') },
    threshold: {
      value: '',
      validate: function (this: unknown, value: string) {
        const { indicator, plant } = this as PrognosisProperties
        if (indicator === 'score') return optionalNumber(0.01, 0.9999)(value)
        const isEmpty = value === '' || value === undefined
        return isEmpty ? Boolean(plant) && plant !== '_ADD_' : optionalNumber(-Number.MAX_VALUE)(value)
      } as never,
    },
    direction: { value: '', validate: (value: string) => ['', 'rising', 'falling'].includes(value ?? '') },
    roles: { value: '', validate: isRoles },
    filter: { value: '' },
    judgeOnlyIn: { value: '' },
    settle: { value: '0', validate: optionalNumber(0, 86_400) },
    maxSignals: { value: '10000', validate: optionalNumber(1, 1_000_000) },
    saveEvery: { value: '60', validate: optionalNumber(1, 86_400) },
    ...SAMPLE_FIELDS,
  },
  inputs: 1,
  outputs: 2,
  icon: 'prognosis.svg',
  paletteLabel: 'prognosis',
  label() {
    return this.name || 'prognosis'
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels: 'samples, machine states',
  outputLabels: ['prognoses', 'samples with the projected line'],
  oneditprepare() {
    prepareSampleFields({ now: this._('prognosis.type.now'), good: '' })
    const indicator = $('#node-input-indicator')
    // a flow made by hand may leave out what has a default
    if (!indicator.val()) indicator.val('value')
    indicator.on('change', () => $('.takt-prognosis-value').toggle(indicator.val() !== 'score')).trigger('change')
    const more = $('#takt-prognosis-more')
    more.on('change', () => $('.takt-prognosis-rare').toggle(more.is(':checked'))).trigger('change')
  },
})
