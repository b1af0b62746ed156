import type { EditorNodeProperties, EditorRED } from 'node-red'
import { optionalNumber } from '../shared/sample-fields.editor.ts'

declare const RED: EditorRED

interface SignProperties extends EditorNodeProperties {
  store: string
  plant: string
  meaning: string
  order: string
  differentPeople: boolean
  certification: string
  broker: string
  witnessTopic: string
  witnessSeconds: string
}

const MEANINGS = ['performed', 'verified', 'reviewed', 'approved', 'rejected', 'responsible']

/** Meanings by commas, none of them twice. */
function areMeanings(value: string): boolean {
  const words = String(value ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
  return words.every((word) => MEANINGS.includes(word)) && new Set(words).size === words.length
}

RED.nodes.registerType<SignProperties>('takt-sign', {
  category: 'MES',
  color: '#F2C879',
  defaults: {
    name: { value: '' },
    store: { value: '', type: 'takt-store', required: true },
    plant: { value: '', type: 'takt-plant', required: false },
    meaning: { value: 'approved', validate: (value: string) => value === '' || MEANINGS.includes(value) },
    order: { value: '', validate: areMeanings },
    differentPeople: { value: true },
    certification: { value: '', validate: (value: string) => String(value ?? '').length <= 100 },
    broker: { value: '', type: 'takt-mqtt-broker', required: false },
    witnessTopic: { value: 'takt/ledger/head', validate: (value: string) => !/[#+]/.test(value ?? '') },
    witnessSeconds: { value: '10', validate: optionalNumber(1, 86_400) },
  },
  inputs: 1,
  outputs: 2,
  icon: 'sign.svg',
  paletteLabel: 'sign',
  label() {
    return this.name || 'sign'
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels: 'what is to be signed, and by whom',
  outputLabels: ['signed', 'refused'],
})
