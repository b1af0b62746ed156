import type { EditorNodeProperties, EditorRED } from 'node-red'

import { optionalNumber } from '../shared/sample-fields.editor.ts'

declare const RED: EditorRED

interface StoreProperties extends EditorNodeProperties {
  file: string
  plant: string
  settleMinutes: string
  diskThin: string
  diskStop: string
  diskRefuse: string
  diskFreeGb: string
}

RED.nodes.registerType<StoreProperties>('takt-store', {
  category: 'config',
  defaults: {
    name: { value: '' },
    file: { value: 'takt/takt.db', required: true, validate: (value: string) => typeof value === 'string' && value.trim() !== '' },
    plant: { value: '', type: 'takt-plant', required: false },
    settleMinutes: { value: '10', validate: optionalNumber(1, 10_080) },
    diskThin: { value: '70', validate: optionalNumber(1, 100) },
    diskStop: { value: '85', validate: optionalNumber(1, 100) },
    diskRefuse: { value: '95', validate: optionalNumber(1, 100) },
    diskFreeGb: { value: '10', validate: optionalNumber(0, 1_000_000) },
  },
  label() {
    return this.name || this.file || 'store'
  },
})
