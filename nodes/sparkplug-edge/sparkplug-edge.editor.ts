import type { EditorNodeProperties, EditorRED } from 'node-red'
import { optionalNumber } from '../shared/sample-fields.editor.ts'

declare const RED: EditorRED

interface SparkplugEdgeProperties extends EditorNodeProperties {
  plant: string
  broker: string
  brokers: string
  store: string
  group: string
  edge: string
  device: string
  primaryHost: string
  aliases: boolean
  capacity: string
  gather: string
}

/** One level of a topic, or an environment variable. */
const isId = (value: string): boolean => /^[^/+#]{1,200}$/.test(value ?? '')

RED.nodes.registerType<SparkplugEdgeProperties>('takt-sparkplug-edge', {
  category: 'IIoT',
  color: '#8FC7D1',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: true },
    broker: { value: '', type: 'takt-mqtt-broker', required: true },
    brokers: { value: '' },
    store: { value: '', type: 'takt-store', required: false },
    group: { value: 'plant', required: true, validate: isId },
    edge: { value: 'takt', required: true, validate: isId },
    device: { value: '{path}', validate: (value: string) => value === '' || isId(value) },
    primaryHost: { value: '', validate: (value: string) => (value ?? '') === '' || isId(value) },
    aliases: { value: false },
    capacity: { value: '100000', validate: optionalNumber(1, 1_000_000) },
    gather: { value: '100', validate: optionalNumber(0, 60_000) },
  },
  inputs: 1,
  outputs: 2,
  icon: 'sparkplug-edge.svg',
  paletteLabel: 'sparkplug edge',
  label() {
    return this.name || (this.edge ? `${this.group}/${this.edge}` : 'sparkplug edge')
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels: 'documents, samples, receipts',
  outputLabels: ['commands', 'gaps'],
})
