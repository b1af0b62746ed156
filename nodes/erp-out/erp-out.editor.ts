import type { EditorNodeProperties, EditorRED } from 'node-red'
import { optionalNumber } from '../shared/sample-fields.editor.ts'

declare const RED: EditorRED

interface ErpOutProperties extends EditorNodeProperties {
  plant: string
  store: string
  channel: string
  system: string
  jobs: boolean
  orders: string
  maintenance: boolean
  people: boolean
  format: string
  from: string
  settle: string
  transport: string
  url: string
  method: string
  auth: string
  tls: string
  timeout: string
  numberAt: string
}

interface ErpOutCredentials {
  user: string
  password: string
  token: string
}

/** http or https, no login in it, and of names in braces only those that are known. */
function isUrl(url: string): boolean {
  if (/^\$\{\w+\}/.test(url)) return true
  return /^https?:\/\/[^\s/@]+([/?][^\s]*)?$/.test(url) && !/\{(?!(id|order|job)\})/.test(url.replace(/\$\{\w+\}/g, 'x'))
}

RED.nodes.registerType<ErpOutProperties, ErpOutCredentials>('takt-erp-out', {
  category: 'MES',
  color: '#F2C879',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: true },
    store: { value: '', type: 'takt-store', required: true },
    channel: { value: 'erp', validate: (value: string) => /^([\w.-]{1,40}|.*\$\{\w+\}.*)$/.test(value ?? '') },
    system: { value: '' },
    jobs: {
      value: true,
      validate: function (this: unknown, value: boolean) {
        return value || (this as ErpOutProperties).orders !== 'none'
      } as never,
    },
    orders: { value: 'none', validate: (value: string) => ['none', 'completed', 'closed'].includes(value) },
    maintenance: { value: false },
    people: { value: true },
    format: { value: 'b2mml', validate: (value: string) => ['b2mml', 'json'].includes(value) },
    from: { value: 'now', validate: (value: string) => ['now', 'beginning'].includes(value) },
    settle: { value: '5', validate: optionalNumber(0, 86_400) },
    transport: { value: 'http', validate: (value: string) => ['http', 'message'].includes(value) },
    url: {
      value: '',
      validate: function (this: unknown, value: string) {
        return (this as ErpOutProperties).transport === 'message' || isUrl((value ?? '').trim())
      } as never,
    },
    method: { value: 'POST', validate: (value: string) => ['POST', 'PUT'].includes(value) },
    auth: { value: 'none', validate: (value: string) => ['none', 'basic', 'bearer'].includes(value) },
    tls: { value: '', type: 'tls-config', required: false },
    timeout: { value: '30', validate: optionalNumber(1, 600) },
    numberAt: { value: '', validate: (value: string) => !/\s/.test((value ?? '').trim()) },
  },
  credentials: { user: { type: 'text' }, password: { type: 'password' }, token: { type: 'password' } },
  inputs: 1,
  outputs: 3,
  icon: 'erp-out.svg',
  paletteLabel: 'erp out',
  label() {
    return this.name || `erp out ${this.channel}`
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels: 'receipt, again, set-aside',
  outputLabels: ['received by the ERP', 'refused by the ERP', 'to be brought to the ERP'],
  oneditprepare() {
    const transport = $('#node-input-transport')
    const auth = $('#node-input-auth')
    const show = (): void => {
      const isHttp = transport.val() === 'http'
      $('.takt-erp-out-http').toggle(isHttp)
      $('.takt-erp-out-message').toggle(!isHttp)
      $('.takt-erp-out-basic').toggle(isHttp && auth.val() === 'basic')
      $('.takt-erp-out-bearer').toggle(isHttp && auth.val() === 'bearer')
    }
    for (const field of [transport, auth]) field.on('change', show)
    show()
  },
})
