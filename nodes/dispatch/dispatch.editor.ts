import type { EditorNodeProperties, EditorRED } from 'node-red'

declare const RED: EditorRED

interface DispatchProperties extends EditorNodeProperties {
  plant: string
  store: string
  autonomy: string
  toleranceMs: number
  ackTimeoutMs: number
  commands: string
}

interface Translating {
  _(key: string): string
}

const MINUTE_MS = 60_000

/** Node-RED takes a text as the reason why a value is not valid; the community's types know only true and false. */
const number = (least: number, most: number) =>
  function (this: unknown, value: string | number) {
    const given = String(value ?? '').trim()
    const valid = given !== '' && Number(given) >= least && Number(given) <= most
    return valid || (this as Translating)._('dispatch.validation.number').replace('{least}', String(least)).replace('{most}', String(most))
  } as never

function isCommands(text: string): boolean {
  if (text.trim() === '') return true
  try {
    const value: unknown = JSON.parse(text)
    const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [['', '']]
    return entries.every(([key, name]) => ['start', 'maintain', 'stop'].includes(key) && typeof name === 'string' && name !== '')
  } catch {
    return false
  }
}

RED.nodes.registerType<DispatchProperties>('takt-dispatch', {
  category: 'MES',
  color: '#F2C879',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: true },
    store: { value: '', type: 'takt-store', required: true },
    autonomy: { value: 'auto', required: true, validate: (value: string) => ['auto', 'approve', 'shadow'].includes(value) },
    toleranceMs: { value: 300_000, validate: number(0, 2_592_000_000) },
    ackTimeoutMs: { value: 10_000, validate: number(10, 86_400_000) },
    commands: { value: '{}', validate: isCommands },
  },
  inputs: 1,
  outputs: 2,
  icon: 'dispatch.svg',
  paletteLabel: 'dispatch',
  label() {
    return this.name || 'dispatch'
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels: 'machine states, receipts, starts',
  outputLabels: ['commands', 'problems, what waits for a person'],
  oneditprepare() {
    $('#node-input-commands').typedInput({ types: ['json'], default: 'json' })
    $('#takt-dispatch-tolerance').val(Number((this as unknown as DispatchProperties).toleranceMs) / MINUTE_MS)
  },
  oneditsave() {
    $('#node-input-toleranceMs').val(Math.round(Number($('#takt-dispatch-tolerance').val()) * MINUTE_MS))
  },
})
