import type { EditorNodeProperties, EditorRED } from 'node-red'
import { optionalNumber, prepareSampleFields, SAMPLE_FIELDS } from '../shared/sample-fields.editor.ts'

declare const RED: EditorRED

interface HistorianProperties extends EditorNodeProperties {
  mode: string
  influxdb: string
  plant: string
  store: string
  value: string
  valueType: string
  signal: string
  signalType: string
  time: string
  timeType: string
  batchRows: string
  batchMs: string
  spoolMb: string
  context: string
  asked: string
  span: string
  aggregate: string
  limit: string
  format: string
}

const SPAN = /^\d+(\.\d+)?\s*(ms|s|m|h|d|w)$/

RED.nodes.registerType<HistorianProperties>('takt-historian', {
  category: 'IIoT',
  color: '#87CEC6',
  defaults: {
    name: { value: '' },
    mode: { value: 'write', validate: (value: string) => ['write', 'query'].includes(value) },
    influxdb: { value: '', type: 'takt-influxdb', required: false },
    store: {
      value: '',
      type: 'takt-store',
      required: false,
      validate: function (this: unknown, value: string) {
        const { influxdb } = this as HistorianProperties
        const isChosen = (id: string): boolean => Boolean(id) && id !== '_ADD_'
        return isChosen(value) || isChosen(influxdb)
      } as never,
    },
    plant: { value: '', type: 'takt-plant', required: false },
    ...SAMPLE_FIELDS,
    batchRows: { value: '', validate: optionalNumber(1, 50_000) },
    batchMs: { value: '', validate: optionalNumber(10, 60_000) },
    spoolMb: { value: '', validate: optionalNumber(1, 1_000_000) },
    context: { value: 'no' },
    asked: { value: '' },
    span: { value: '1h', validate: (value: string) => !value || SPAN.test(value) || /^\$\{\w+\}$/.test(value) },
    aggregate: { value: 'auto' },
    limit: { value: '', validate: optionalNumber(1, 50_000) },
    format: { value: 'chart' },
  },
  inputs: 1,
  outputs: 1,
  icon: 'historian.svg',
  paletteLabel: 'historian',
  label() {
    return this.name || (this.mode === 'query' ? 'history' : 'historian')
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels() {
    return this.mode === 'query' ? 'a question' : 'samples'
  },
  outputLabels() {
    return this.mode === 'query' ? 'the past' : 'gaps'
  },
  oneditprepare() {
    prepareSampleFields({ now: this._('historian.field.now'), good: '' })
    const mode = $('#node-input-mode')
    const influx = $('#node-input-influxdb')
    const show = (): void => {
      const isQuery = mode.val() === 'query'
      const hasInflux = Boolean(influx.val()) && influx.val() !== '_ADD_'
      $('.takt-historian-query').toggle(isQuery)
      $('.takt-historian-write').toggle(!isQuery)
      $('.takt-historian-influx').toggle(!isQuery && hasInflux)
      $('.takt-historian-ring').toggle(!hasInflux)
    }
    mode.on('change', show)
    influx.on('change', show)
    show()
  },
})
