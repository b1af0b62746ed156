import type { EditorNodeProperties, EditorRED } from 'node-red'

declare const RED: EditorRED

interface OpcuaEndpointProperties extends EditorNodeProperties {
  url: string
  securityMode: string
  securityPolicy: string
  acceptServerCertificate: boolean
}

interface OpcuaEndpointCredentials {
  user: string
  password: string
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
  },
  credentials: { user: { type: 'text' }, password: { type: 'password' } },
  label() {
    return this.name || this.url || 'opcua endpoint'
  },
  oneditprepare() {
    const mode = $('#node-config-input-securityMode')
    const user = $('#node-config-input-user')
    const show = (): void => {
      const open = mode.val() === 'None'
      $('.takt-opcua-endpoint-secure').toggle(!open)
      $('.takt-opcua-endpoint-open').toggle(open && user.val() !== '')
    }
    mode.on('change', show)
    user.on('input change', show)
    show()
  },
})
