import type { EditorNodeProperties, EditorRED } from 'node-red'

declare const RED: EditorRED

interface TraceProperties extends EditorNodeProperties {
  plant: string
  store: string
  jobs: boolean
  heldLots: string
  unknownLots: string
  containment: string
  minSeverity: string
  idScheme: string
  idBase: string
  resolver: string
  gtins: string
  names: string
  captureErrors: string
  book: boolean
}

interface Translating {
  _(key: string): string
}

/** Node-RED takes a text as the reason why a value is not valid; the community's types know only true and false. */
function checked(test: (text: string) => boolean, reason: string): never {
  return function (this: unknown, value: unknown) {
    const text = String(value ?? '').trim()
    return test(text) || (this as Translating)._(`trace.validation.${reason}`)
  } as never
}

const isUri = (text: string): boolean => text === '' || /^\$\{\w+\}$/.test(text) || /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/.test(text)

function isTable(text: string): boolean {
  if (text === '') return true
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

const among = (...choices: string[]) => checked((text) => choices.includes(text), 'choice')

RED.nodes.registerType<TraceProperties>('takt-trace', {
  category: 'MES',
  color: '#F2C879',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: true },
    store: { value: '', type: 'takt-store', required: true },
    jobs: { value: true },
    heldLots: { value: 'refuse', validate: among('refuse', 'follow') },
    unknownLots: { value: 'refuse', validate: among('refuse', 'open') },
    containment: { value: 'approve', validate: among('off', 'shadow', 'approve', 'auto') },
    minSeverity: { value: 'high', validate: among('low', 'medium', 'high') },
    idScheme: { value: 'uri', validate: among('uri', 'digital-link', 'urn') },
    idBase: { value: 'urn:takt', validate: checked(isUri, 'uri') },
    resolver: { value: 'https://id.gs1.org', validate: checked(isUri, 'uri') },
    gtins: { value: '{}', validate: checked(isTable, 'table') },
    names: { value: '{}', validate: checked(isTable, 'table') },
    captureErrors: { value: 'rollback', validate: among('rollback', 'proceed') },
    book: { value: false },
  },
  inputs: 1,
  outputs: 2,
  icon: 'trace.svg',
  paletteLabel: 'trace',
  label() {
    return this.name || 'trace'
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels: 'events of genealogy, questions, EPCIS, anomalies, answers',
  outputLabels: ['results', 'refusals, held lots, proposals'],
  oneditprepare() {
    const show = (): void => {
      const own = $('#node-input-idScheme').val() === 'uri'
      $('.takt-trace-gs1').toggle(!own)
    }
    $('#node-input-idScheme').on('change', show)
    show()
  },
})
