import type { EditorNodeProperties, EditorRED } from 'node-red'
import { prepareTrust } from './trust.editor.ts'

declare const RED: EditorRED

interface OpcuaEndpointProperties extends EditorNodeProperties {
  url: string
  securityMode: string
  securityPolicy: string
  acceptServerCertificate: boolean
  identity: string
}

interface OpcuaEndpointCredentials {
  user: string
  password: string
  userCertificate: string
  userKey: string
  userKeyPassphrase: string
}

RED.nodes.registerType<OpcuaEndpointProperties, OpcuaEndpointCredentials>('takt-opcua-endpoint', {
  category: 'config',
  defaults: {
    name: { value: '' },
    url: { value: '', required: true, validate: (value: string) => /^(opc\.tcp:\/\/[^\s/]+.*|.*\$\{\w+\}.*)$/.test(value ?? '') },
    securityMode: { value: 'None', required: true },
    securityPolicy: {
      value: 'Basic256Sha256',
      validate: function (this: unknown, value: string) {
        return (this as OpcuaEndpointProperties).securityMode === 'None' || (Boolean(value) && value !== 'None')
      } as never,
    },
    acceptServerCertificate: { value: false },
    identity: { value: '' },
  },
  credentials: {
    user: { type: 'text' },
    password: { type: 'password' },
    userCertificate: { type: 'text' },
    userKey: { type: 'password' },
    userKeyPassphrase: { type: 'password' },
  },
  label() {
    return this.name || this.url || 'opcua endpoint'
  },
  oneditprepare() {
    const texts = this as unknown as { _(key: string): string }
    const mode = $('#node-config-input-securityMode')
    const user = $('#node-config-input-user')
    const identity = $('#node-config-input-identity')
    // an endpoint from before there was a choice
    if (!identity.val()) identity.val(user.val() === '' ? 'anonymous' : 'user')
    const show = (): void => {
      const open = mode.val() === 'None'
      const who = identity.val()
      $('.takt-opcua-endpoint-secure').toggle(!open)
      $('.takt-opcua-endpoint-user').toggle(who === 'user')
      $('.takt-opcua-endpoint-certificate').toggle(who === 'certificate')
      $('.takt-opcua-endpoint-open').toggle(open && who === 'user')
    }
    mode.on('change', show)
    identity.on('change', show)
    show()
    prepareTrust(
      (key) => texts._(`opcua-endpoint.${key}`),
      ({ securityMode, securityPolicy }) => {
        mode.val(securityMode).trigger('change')
        if (securityPolicy !== 'None') $('#node-config-input-securityPolicy').val(securityPolicy).trigger('change')
      },
    )
  },
})
