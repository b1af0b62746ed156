import type { EditorNodeProperties, EditorRED } from 'node-red'
import { optionalNumber } from '../shared/sample-fields.editor.ts'

declare const RED: EditorRED

interface MachineCommandProperties extends EditorNodeProperties {
  plant: string
  store: string
  autonomy: string
  allowed: string
  timeout: string
}

RED.nodes.registerType<MachineCommandProperties>('takt-machine-command', {
  category: 'IIoT',
  color: '#8FC7D1',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: true },
    store: { value: '', type: 'takt-store', required: false },
    autonomy: { value: 'approve', required: true, validate: (value: string) => /^(shadow|approve|auto|\$\{\w+\})$/.test(value ?? '') },
    allowed: { value: '' },
    timeout: { value: '10', validate: optionalNumber(1, 50) },
  },
  inputs: 1,
  outputs: 2,
  icon: 'machine-command.svg',
  paletteLabel: 'machine command',
  label() {
    return this.name || 'machine command'
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels: 'commands, machine states, answers',
  outputLabels: ['receipts', 'for a person'],
})
