import type { EditorNodeProperties, EditorRED } from 'node-red'
import { optionalNumber, prepareSampleFields, SAMPLE_FIELDS } from '../shared/sample-fields.editor.ts'
import { preparePreview, type Translate } from './preview.editor.ts'
import { isDetectorField } from './preview-fields.ts'
import { prepareShadow, type ShadowPart } from './shadow.editor.ts'

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
  target: string
  sigma: string
  allowance: string
  decision: string
  reach: string
  season: string
  period: string
  shape: string
  memory: string
  driftSize: string
  driftOver: string
  shortTerm: string
  factor: string
  cycle: string
  cycleBegins: string
  falseAlarms: string
  context: string
  holdOff: string
  clearAfter: string
  escalateAfter: string
  roles: string
  filter: string
  judgeOnlyIn: string
  settle: string
  maxSignals: string
  saveEvery: string
  challenger: string
  value: string
  valueType: string
  signal: string
  signalType: string
  time: string
  timeType: string
}

const METHODS = ['auto', 'limits', 'rate', 'ewma', 'cusum', 'robust-z', 'hampel', 'seasonal', 'discord', 'drift', 'variance', 'stuck']
const SEASONS = ['day', 'week', 'period', 'cycle']
/** Methods with a threshold that a false-alarm budget may set. */
const BUDGETED = ['auto', 'ewma', 'cusum', 'robust-z', 'hampel', 'seasonal', 'discord', 'drift', 'variance']
const CONTEXTS = ['none', 'product', 'operation', 'state']
const ROLES = ['packml-state', 'packml-mode', 'job-order', 'good-count', 'scrap-count', 'condition', 'characteristic', 'other', 'all']

/** What the open dialog has under way. */
let open: ShadowPart | undefined

/** What is in force where a flow, made by hand or before a field was, leaves it out. */
const IN_FORCE = {
  method: 'auto',
  sensitivity: 'normal',
  ratePer: 'second',
  allowance: '0.5',
  decision: '12',
  reach: '5',
  season: 'day',
  cycleBegins: 'change',
  memory: '1024',
  driftSize: '2',
  driftOver: '200',
  shortTerm: '30',
  factor: '2.5',
  context: 'none',
}

/** Words by commas, each one of a list; or an environment variable. */
function words(allowed: readonly string[]): (value: string) => boolean {
  return (value) =>
    /^\$\{\w+\}$/.test(value ?? '') ||
    (value ?? '')
      .split(',')
      .map((word) => word.trim())
      .every((word) => word === '' || allowed.includes(word))
}

/** What is typed in a field of the open dialog. */
function typed(name: string): string | boolean {
  const input = $(`#node-input-${name}`)
  if (input.is(':checkbox')) return input.is(':checked')
  const text = String(input.val() ?? '')
  // of a config node that is not chosen
  return text === '_ADD_' ? '' : text
}

function set(name: string, value: string | boolean): void {
  const input = $(`#node-input-${name}`)
  if (input.is(':checkbox')) input.prop('checked', value === true)
  else input.val(String(value))
  input.trigger('change')
}

function isNothingOrObject(value: string): boolean {
  if (!value?.trim()) return true
  try {
    const parsed: unknown = JSON.parse(value)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
  } catch {
    return false
  }
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
    target: { value: '', validate: optionalNumber(-Number.MAX_VALUE) },
    sigma: { value: '', validate: optionalNumber(Number.MIN_VALUE) },
    allowance: { value: '0.5', validate: optionalNumber(0, 10) },
    decision: { value: '12', validate: optionalNumber(1, 1000) },
    reach: { value: '5', validate: optionalNumber(2, 500) },
    season: { value: 'day', validate: (value: string) => SEASONS.includes(value || 'day') },
    period: {
      value: '',
      validate: function (this: unknown, value: string) {
        const { method, season } = this as AnomalyProperties
        return method !== 'seasonal' || season !== 'period' || (Boolean(value) && optionalNumber(0.001, 31_622_400)(value))
      } as never,
    },
    shape: { value: '', validate: optionalNumber(4, 256) },
    memory: {
      value: '1024',
      validate: function (this: unknown, value: string) {
        const { shape } = this as AnomalyProperties
        return optionalNumber(128, 8192)(value) && (!shape || Number(value || 1024) >= 4 * Number(shape))
      } as never,
    },
    driftSize: { value: '2', validate: optionalNumber(0.1, 100) },
    driftOver: { value: '200', validate: optionalNumber(5, 1_000_000) },
    shortTerm: { value: '30', validate: optionalNumber(5, 10_000) },
    factor: { value: '2.5', validate: optionalNumber(1.1, 100) },
    cycle: {
      value: '',
      validate: function (this: unknown, value: string) {
        const { method, season } = this as AnomalyProperties
        return method !== 'seasonal' || season !== 'cycle' || /^[^/]*[^/\s][^/]*$/.test(value ?? '')
      } as never,
    },
    cycleBegins: { value: 'change', validate: (value: string) => ['change', 'rise'].includes(value || 'change') },
    falseAlarms: {
      value: '',
      validate: function (this: unknown, value: string) {
        return optionalNumber(0.01, 10_000)(value) && (!value || BUDGETED.includes((this as AnomalyProperties).method ?? 'auto'))
      } as never,
    },
    context: { value: 'none', validate: (value: string) => CONTEXTS.includes(value || 'none') },
    holdOff: { value: '0', validate: optionalNumber(0) },
    clearAfter: { value: '60', validate: optionalNumber(0) },
    escalateAfter: { value: '30', validate: optionalNumber(0) },
    roles: { value: '', validate: words(ROLES) },
    filter: { value: '' },
    judgeOnlyIn: { value: '' },
    settle: { value: '0', validate: optionalNumber(0, 86_400) },
    maxSignals: { value: '10000', validate: optionalNumber(1, 1_000_000) },
    saveEvery: { value: '60', validate: optionalNumber(1, 86_400) },
    challenger: { value: '', validate: isNothingOrObject },
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
    for (const [field, fallback] of Object.entries(IN_FORCE)) {
      const input = $(`#node-input-${field}`)
      if (!input.val()) input.val(fallback)
    }
    const method = $('#node-input-method')
    const season = $('#node-input-season')
    const show = (): void => {
      $('.takt-anomaly-method').hide()
      $(`.takt-anomaly-${String(method.val())}`).show()
      if (season.val() !== 'period') $('.takt-anomaly-period').hide()
      if (season.val() !== 'cycle') $('.takt-anomaly-cycle').hide()
      $('.takt-anomaly-budget').toggle(BUDGETED.includes(String(method.val())))
    }
    season.on('change', show)
    method.on('change', show).trigger('change')
    const more = $('#takt-anomaly-more')
    more.on('change', () => $('.takt-anomaly-rare').toggle(more.is(':checked'))).trigger('change')
    const names = Object.keys((this as unknown as { _def: { defaults: object } })._def.defaults)
    const t: Translate = (key, values) => this._(`anomaly.preview.${key}`, values as never)
    const endPreview = preparePreview({ node: this.id, t, fields: () => Object.fromEntries(names.map((name) => [name, typed(name)])) })
    const detector = names.filter(isDetectorField)
    const shadow = prepareShadow({
      node: this.id,
      hasStore: Boolean(this.store),
      t,
      label: (field) => this._(`anomaly.label.${field}`),
      typed: () => Object.fromEntries(detector.map((name) => [name, typed(name)])),
      set,
    })
    open = {
      save: () => shadow.save(),
      close: () => {
        endPreview()
        shadow.close()
      },
    }
  },
  oneditsave() {
    open?.save()
    open?.close()
  },
  oneditcancel() {
    open?.close()
  },
})
