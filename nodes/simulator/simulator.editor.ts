import type { EditorNodeProperties, EditorRED } from 'node-red'

declare const RED: EditorRED

interface SimulatorProperties extends EditorNodeProperties {
  plant: string
  broker: string
  opcuaPort: string
  speed: string
  start: string
  seed: string
  wornUnit: string
  wornAt: string
  orders: string
  ordersAhead: string
}

interface SimulatorCredentials {
  user: string
  password: string
}

/** True for a number in the range, for an environment variable, and for nothing where nothing is allowed. */
function between(low: number, high: number, whole = false, empty = false): (value: string) => boolean {
  return (value) => {
    const text = String(value ?? '').trim()
    if (text === '') return empty
    if (/^\$\{\w+\}$/.test(text)) return true
    const number = Number(text)
    return number >= low && number <= high && (!whole || Number.isInteger(number))
  }
}

RED.nodes.registerType<SimulatorProperties, SimulatorCredentials>('takt-simulator', {
  category: 'IIoT',
  color: '#8FC7D1',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: true },
    broker: { value: '', type: 'takt-mqtt-broker', required: false },
    opcuaPort: { value: '4840', validate: between(0, 65_535, true, true) },
    speed: { value: '60', required: true, validate: between(1, 600) },
    start: { value: '', validate: (value: string) => String(value ?? '').trim() === '' || /^(\d{4}-\d{2}-\d{2}.*|\$\{\w+\})$/.test(value) },
    seed: { value: '7', required: true, validate: between(0, 4_294_967_295, true) },
    wornUnit: { value: '' },
    wornAt: { value: '0.68', validate: between(0, 1, false, true) },
    orders: { value: '2', validate: between(0, 100, false, true) },
    ordersAhead: { value: '6', validate: between(0, 1000, true, true) },
  },
  credentials: { user: { type: 'text' }, password: { type: 'password' } },
  inputs: 1,
  outputs: 2,
  icon: 'simulator.svg',
  paletteLabel: 'simulator',
  label() {
    return this.name || 'simulated plant'
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels: 'break, fail, spoil, speed, pause, resume, reset',
  outputLabels: ['orders', 'what the plant did'],
  oneditprepare() {
    for (const field of ['speed', 'seed', 'wornAt', 'orders', 'ordersAhead', 'opcuaPort']) $(`#node-input-${field}`).css('width', '90px')
  },
})
