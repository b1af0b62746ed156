import type { EditorNodeProperties, EditorRED } from 'node-red'
import { optionalNumber } from '../shared/sample-fields.editor.ts'

declare const RED: EditorRED

interface InfluxdbProperties extends EditorNodeProperties {
  url: string
  database: string
  retentionPolicy: string
  createDatabase: boolean
  login: string
  timeout: string
  tls: string
}

interface InfluxdbCredentials {
  user: string
  password: string
  token: string
}

const URLS = /^(\s*https?:\/\/[^\s/,@]+[^\s,]*\s*,?)+$|\$\{\w+\}/

RED.nodes.registerType<InfluxdbProperties, InfluxdbCredentials>('takt-influxdb', {
  category: 'config',
  defaults: {
    name: { value: '' },
    url: { value: 'http://127.0.0.1:8086', validate: (value: string) => !value || URLS.test(value) },
    database: { value: 'takt', required: true },
    retentionPolicy: { value: '' },
    createDatabase: { value: true },
    login: { value: 'none', validate: (value: string) => ['none', 'user', 'token'].includes(value) },
    timeout: { value: '', validate: optionalNumber(1, 600) },
    tls: { value: '', type: 'tls-config', required: false },
  },
  credentials: { user: { type: 'text' }, password: { type: 'password' }, token: { type: 'password' } },
  label() {
    return this.name || (this.database && this.url ? `${this.database} at ${this.url.replace(/^https?:\/\//, '')}` : 'influxdb')
  },
  oneditprepare() {
    const login = $('#node-config-input-login')
    const show = (): void => {
      $('.takt-influxdb-user').toggle(login.val() === 'user')
      $('.takt-influxdb-token').toggle(login.val() === 'token')
    }
    login.on('change', show)
    show()
  },
})
