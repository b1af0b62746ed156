import type { EditorNodeProperties, EditorRED } from 'node-red'
import { optionalNumber } from '../shared/sample-fields.editor.ts'

declare const RED: EditorRED

interface MqttBrokerProperties extends EditorNodeProperties {
  url: string
  host: string
  port: string
  embedded: boolean
  protocolVersion: string
  clientId: string
  cleanSession: boolean
  sessionExpiry: string
  keepalive: string
  receiveMaximum: string
  maximumPacketKb: string
  tls: string
}

interface MqttBrokerCredentials {
  user: string
  password: string
}

const URL = /^((mqtts?|tcp|ssl|wss?):\/\/[^\s/]+.*|.*\$\{\w+\}.*)$/

RED.nodes.registerType<MqttBrokerProperties, MqttBrokerCredentials>('takt-mqtt-broker', {
  category: 'config',
  defaults: {
    name: { value: '' },
    embedded: { value: false },
    url: {
      value: '',
      validate: function (this: unknown, value: string) {
        const { embedded, host } = this as MqttBrokerProperties
        return embedded || URL.test(value ?? '') || (!value && Boolean(host))
      } as never,
    },
    host: { value: '' },
    port: { value: '', validate: optionalNumber(0, 65_535) },
    protocolVersion: { value: '5', validate: (value: string) => ['4', '5'].includes(String(value)) },
    clientId: {
      value: '',
      validate: function (this: unknown, value: string) {
        return (this as MqttBrokerProperties).cleanSession !== false || Boolean(value)
      } as never,
    },
    cleanSession: { value: true },
    sessionExpiry: { value: '', validate: optionalNumber(0, 4_294_967_295) },
    keepalive: { value: '', validate: optionalNumber(1, 65_535) },
    receiveMaximum: { value: '', validate: optionalNumber(1, 65_535) },
    maximumPacketKb: { value: '', validate: optionalNumber(1, 262_144) },
    tls: { value: '', type: 'tls-config', required: false },
  },
  credentials: { user: { type: 'text' }, password: { type: 'password' } },
  label() {
    return this.name || (this.embedded ? `${this.host || '127.0.0.1'}:${this.port || '1883'}` : this.url) || 'mqtt broker'
  },
  oneditprepare() {
    const embedded = $('#node-config-input-embedded')
    const clean = $('#node-config-input-cleanSession')
    const version = $('#node-config-input-protocolVersion')
    const show = (): void => {
      const own = embedded.is(':checked')
      $('.takt-mqtt-broker-own').toggle(own)
      $('.takt-mqtt-broker-other').toggle(!own)
      $('.takt-mqtt-broker-kept').toggle(!clean.is(':checked'))
      $('.takt-mqtt-broker-5').toggle(!own && version.val() === '5')
    }
    for (const field of [embedded, clean, version]) field.on('change', show)
    show()
  },
})
