import type { EditorNodeProperties, EditorRED } from 'node-red'

declare const RED: EditorRED

interface QualityGateProperties extends EditorNodeProperties {
  plant: string
  store: string
  rejectBeyond: string
  rework: boolean
  holdOnAnomaly: boolean
}

function isShare(value: string | number): boolean {
  const text = String(value ?? '').trim()
  return text === '' || /^\$\{\w+\}$/.test(text) || (Number.isFinite(Number(text)) && Number(text) >= 0)
}

RED.nodes.registerType<QualityGateProperties>('takt-quality-gate', {
  category: 'MES',
  color: '#F2C879',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: true },
    store: { value: '', type: 'takt-store', required: true },
    rejectBeyond: { value: '', validate: isShare },
    rework: { value: true },
    holdOnAnomaly: { value: false },
  },
  inputs: 1,
  outputs: 3,
  icon: 'quality-gate.svg',
  paletteLabel: 'quality gate',
  label() {
    return this.name || 'quality gate'
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels: 'measurements, decisions of people',
  outputLabels: ['pass', 'hold', 'reject'],
})
