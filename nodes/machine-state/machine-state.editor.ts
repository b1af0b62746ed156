import type { EditorNodeProperties, EditorRED } from 'node-red'
import { optionalNumber } from '../shared/sample-fields.editor.ts'

declare const RED: EditorRED

interface MachineStateProperties extends EditorNodeProperties {
  plant: string
  store: string
  staleAfter: string
}

RED.nodes.registerType<MachineStateProperties>('takt-machine-state', {
  category: 'IIoT',
  color: '#8FC7D1',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: true },
    store: { value: '', type: 'takt-store', required: false },
    staleAfter: { value: '', validate: optionalNumber(0.001) },
  },
  inputs: 1,
  outputs: 2,
  icon: 'machine-state.svg',
  paletteLabel: 'machine state',
  label() {
    return this.name || 'machine state'
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels: 'samples',
  outputLabels: ['machine states', 'counts'],
})
