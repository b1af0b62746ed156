import type { EditorNodeProperties, EditorRED } from 'node-red'

declare const RED: EditorRED

interface WorkOrderProperties extends EditorNodeProperties {
  plant: string
  store: string
  autoRelease: boolean
  importFolder: string
  mapping: string
}

function isMapping(text: string): boolean {
  if (text.trim() === '') return true
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

RED.nodes.registerType<WorkOrderProperties>('takt-work-order', {
  category: 'MES',
  color: '#F2C879',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: true },
    store: { value: '', type: 'takt-store', required: true },
    autoRelease: { value: true },
    importFolder: { value: '' },
    mapping: { value: '{}', validate: isMapping },
  },
  inputs: 1,
  outputs: 2,
  icon: 'work-order.svg',
  paletteLabel: 'work order',
  label() {
    return this.name || 'work order'
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels: 'requests, machine states, counts',
  outputLabels: ['state changes', 'refusals'],
  oneditprepare() {
    $('#node-input-mapping').typedInput({ types: ['json'], default: 'json' })
  },
})
