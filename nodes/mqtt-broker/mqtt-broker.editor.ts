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
  willTopic: string
  willPayload: string
  willQos: string
  willRetain: boolean
  birthTopic: string
  birthPayload: string
  birthQos: string
  birthRetain: boolean
}

interface MqttBrokerCredentials {
  user: string
  password: string
}

const URL = /^((mqtts?|tcp|ssl|wss?):\/\/[^\s/]+.*|.*\$\{\w+\}.*)$/

/** Nothing, or what may be published to: no wildcards. */
function isTopic(topic: string): boolean {
  return !/[+#]/.test(topic ?? '')
}

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
    clientId: { value: '' },
    cleanSession: { value: false },
    sessionExpiry: { value: '', validate: optionalNumber(0, 4_294_967_295) },
    keepalive: { value: '', validate: optionalNumber(1, 65_535) },
    receiveMaximum: { value: '', validate: optionalNumber(1, 65_535) },
    maximumPacketKb: { value: '', validate: optionalNumber(1, 262_144) },
    tls: { value: '', type: 'tls-config', required: false },
    willTopic: { value: '', validate: isTopic },
    willPayload: { value: '' },
    willQos: { value: '1', validate: optionalNumber(0, 2) },
    willRetain: { value: true },
    birthTopic: { value: '', validate: isTopic },
    birthPayload: { value: '' },
    birthQos: { value: '1', validate: optionalNumber(0, 2) },
    birthRetain: { value: true },
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
    for (const kind of ['will', 'birth']) {
      const topic = $(`#node-config-input-${kind}Topic`)
      const qos = $(`#node-config-input-${kind}Qos`)
      // a broker of an earlier version
      if (!qos.val()) qos.val('1')
      topic.on('keyup change', () => $(`.takt-mqtt-broker-${kind}`).toggle(Boolean(topic.val()))).trigger('change')
    }
  },
})
