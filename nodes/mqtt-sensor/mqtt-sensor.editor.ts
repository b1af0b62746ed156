import type { EditorNodeProperties, EditorRED } from 'node-red'
import { optionalNumber } from '../shared/sample-fields.editor.ts'

declare const RED: EditorRED

interface MqttSensorProperties extends EditorNodeProperties {
  plant: string
  broker: string
  store: string
  mode: string
  topic: string
  template: string
  target: string
  value: string
  time: string
  hostId: string
  group: string
  metricTarget: string
  reorderSeconds: string
  delivery: string
  session: string
  sequence: string
  qos: string
  maxKb: string
  maxFutureSeconds: string
  maxAgeDays: string
}

/** Wildcards fill a level, `#` is the last one. */
function isFilter(filter: string): boolean {
  const levels = filter.split('/')
  return filter !== '' && levels.every((level, index) => (level === '#' ? index === levels.length - 1 : level === '+' || !/[+#]/.test(level)))
}

RED.nodes.registerType<MqttSensorProperties>('takt-mqtt-sensor', {
  category: 'IIoT',
  color: '#8FC7D1',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: true },
    broker: { value: '', type: 'takt-mqtt-broker', required: true },
    store: { value: '', type: 'takt-store', required: false },
    mode: { value: 'bindings', required: true },
    topic: {
      value: '',
      validate: function (this: unknown, value: string) {
        return (this as MqttSensorProperties).mode !== 'topic' || /\$\{\w+\}/.test(value) || isFilter(value ?? '')
      } as never,
    },
    template: { value: '' },
    target: { value: '' },
    value: { value: '' },
    time: { value: '' },
    hostId: { value: 'takt', validate: (value: string) => !/[/+#]/.test(value ?? '') },
    group: { value: '', validate: (value: string) => !/[/+#]/.test(value ?? '') },
    metricTarget: { value: '' },
    reorderSeconds: { value: '', validate: optionalNumber(0, 300) },
    delivery: {
      value: 'role',
      validate: function (this: unknown, value: string) {
        return value !== 'guaranteed' || Boolean((this as MqttSensorProperties).store)
      } as never,
    },
    session: { value: '' },
    sequence: { value: '' },
    qos: { value: '1', validate: optionalNumber(0, 2) },
    maxKb: { value: '', validate: optionalNumber(1, 65_536) },
    maxFutureSeconds: { value: '', validate: optionalNumber(0) },
    maxAgeDays: { value: '', validate: optionalNumber(1) },
  },
  inputs: 0,
  outputs: 1,
  icon: 'mqtt-sensor.svg',
  paletteLabel: 'mqtt sensor',
  label() {
    return this.name || (this.mode === 'topic' && this.topic) || 'mqtt sensor'
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  outputLabels: 'samples',
  oneditprepare() {
    const mode = $('#node-input-mode')
    const delivery = $('#node-input-delivery')
    const store = $('#node-input-store')
    const broker = $('#node-input-broker')
    // a sensor of an earlier version
    if (!delivery.val()) delivery.val('role')
    const chosen = (field: JQuery): string => {
      const id = String(field.val() ?? '')
      return id === '_ADD_' ? '' : id
    }
    const warn = (): void => {
      const keeps = (RED.nodes.node(chosen(broker)) as { cleanSession?: boolean } | null)?.cleanSession === false
      const wanted = delivery.val() !== 'fast'
      $('.takt-mqtt-sensor-no-store').toggle(wanted && chosen(store) === '')
      $('.takt-mqtt-sensor-no-session').toggle(wanted && chosen(store) !== '' && chosen(broker) !== '' && !keeps && mode.val() !== 'sparkplug')
    }
    for (const field of [delivery, store, broker, mode]) field.on('change', warn)
    warn()
    mode
      .on('change', () => {
        $('.takt-mqtt-sensor-topic').toggle(mode.val() === 'topic')
        $('.takt-mqtt-sensor-bindings').toggle(mode.val() === 'bindings')
        $('.takt-mqtt-sensor-sparkplug').toggle(mode.val() === 'sparkplug')
        $('.takt-mqtt-sensor-json').toggle(mode.val() !== 'sparkplug')
        $('.takt-mqtt-sensor-host').toggle(mode.val() !== 'topic')
      })
      .trigger('change')
  },
})
