import type { EditorNodeProperties, EditorRED } from 'node-red'

declare const RED: EditorRED

interface StoreProperties extends EditorNodeProperties {
  file: string
  plant: string
}

RED.nodes.registerType<StoreProperties>('takt-store', {
  category: 'config',
  defaults: {
    name: { value: '' },
    file: { value: 'takt/takt.db', required: true, validate: (value: string) => typeof value === 'string' && value.trim() !== '' },
    plant: { value: '', type: 'takt-plant', required: false },
  },
  label() {
    return this.name || this.file || 'store'
  },
})
