import type { EditorNodeProperties, EditorRED } from 'node-red'

declare const RED: EditorRED

interface JobControlProperties extends EditorNodeProperties {
  plant: string
  store: string
  host: string
  port: string
  security: string
  anonymous: boolean
  acceptClientCertificate: boolean
  maxJobOrders: string
}

interface JobControlCredentials {
  user: string
  password: string
  viewer: string
  viewerPassword: string
}

interface Translating {
  _(key: string): string
}

/** Whole numbers, or an environment variable that is filled in at deploy. */
const whole = (least: number, most: number) =>
  function (this: unknown, value: string | number) {
    const given = String(value ?? '').trim()
    const valid = /^\$\{\w+\}$/.test(given) || (/^\d+$/.test(given) && Number(given) >= least && Number(given) <= most)
    return valid || (this as Translating)._('job-control.validation.number').replace('{least}', String(least)).replace('{most}', String(most))
  } as never

RED.nodes.registerType<JobControlProperties, JobControlCredentials>('takt-job-control', {
  category: 'IIoT',
  color: '#8FC7D1',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: true },
    store: { value: '', type: 'takt-store', required: true },
    host: { value: '127.0.0.1' },
    port: { value: '4841', validate: whole(1, 65_535) },
    security: { value: 'SignAndEncrypt', required: true, validate: (value: string) => ['None', 'Sign', 'SignAndEncrypt'].includes(value) },
    anonymous: { value: false },
    acceptClientCertificate: { value: false },
    maxJobOrders: { value: '1000', validate: whole(1, 10_000) },
  },
  credentials: { user: { type: 'text' }, password: { type: 'password' }, viewer: { type: 'text' }, viewerPassword: { type: 'password' } },
  inputs: 0,
  outputs: 2,
  icon: 'job-control.svg',
  paletteLabel: 'job control',
  label() {
    return this.name || 'job control'
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  outputLabels: ['orders that were taken or changed', 'calls that were refused'],
  oneditprepare() {
    const security = $('#node-input-security')
    const show = (): void => {
      $('.takt-job-control-open').toggle(security.val() === 'None')
      $('.takt-job-control-secure').toggle(security.val() !== 'None')
    }
    security.on('change', show)
    show()
  },
})
