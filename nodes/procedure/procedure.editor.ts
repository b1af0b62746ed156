import type { EditorNodeProperties, EditorRED } from 'node-red'

declare const RED: EditorRED

interface ProcedureProperties extends EditorNodeProperties {
  plant: string
  store: string
}

RED.nodes.registerType<ProcedureProperties>('takt-procedure', {
  category: 'MES',
  color: '#F2C879',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: true },
    store: { value: '', type: 'takt-store', required: true },
  },
  inputs: 1,
  outputs: 2,
  icon: 'procedure.svg',
  paletteLabel: 'procedure',
  label() {
    return this.name || 'procedure'
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels: 'steps, versions, samples',
  outputLabels: ['how it stands', 'refused, or missing'],
})
