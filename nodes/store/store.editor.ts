import type { EditorNodeProperties, EditorRED } from 'node-red'

import { optionalNumber } from '../shared/sample-fields.editor.ts'

declare const RED: EditorRED

interface StoreProperties extends EditorNodeProperties {
  database: string
  file: string
  url: string
  tls: string
  plant: string
  settleMinutes: string
  diskThin: string
  diskStop: string
  diskRefuse: string
  diskFreeGb: string
  backupHours: string
  backupFolder: string
  backupKeep: string
  archiveMonths: string
  archiveFolder: string
  peopleKnown: boolean
  roles: string
  lockAfter: string
  lockMinutes: string
  passwordLength: string
  passwordDays: string
  idleMinutes: string
  dashboardUser: string
  httpUser: string
  keyFile: string
}

/** Empty, or an object of lists; which actions there are says the runtime. */
function areRoles(value: string): boolean {
  if (String(value ?? '').trim() === '') return true
  try {
    const roles: unknown = JSON.parse(value)
    return typeof roles === 'object' && roles !== null && !Array.isArray(roles) && Object.values(roles).every(Array.isArray)
  } catch {
    return false
  }
}

function isPath(value: string): boolean {
  return /^([\w-]+(\.[\w-]+)*)?$/.test(String(value ?? '').trim())
}

interface StoreCredentials {
  user: string
  password: string
}

const ADDRESS = /^postgres(ql)?:\/\/[^\s@]*$|^postgres(ql)?:\/\/[^\s:@]*@\S*$|\$\{\w+\}/

RED.nodes.registerType<StoreProperties, StoreCredentials>('takt-store', {
  category: 'config',
  defaults: {
    name: { value: '' },
    database: { value: 'sqlite', validate: (value: string) => !value || ['sqlite', 'postgres'].includes(value) },
    file: {
      value: 'takt/takt.db',
      validate(value: string) {
        return this.database === 'postgres' || (typeof value === 'string' && value.trim() !== '')
      },
    },
    url: {
      value: '',
      validate(value: string) {
        return this.database !== 'postgres' || ADDRESS.test(value ?? '')
      },
    },
    tls: { value: '', type: 'tls-config', required: false },
    plant: { value: '', type: 'takt-plant', required: false },
    settleMinutes: { value: '10', validate: optionalNumber(1, 10_080) },
    diskThin: { value: '70', validate: optionalNumber(1, 100) },
    diskStop: { value: '85', validate: optionalNumber(1, 100) },
    diskRefuse: { value: '95', validate: optionalNumber(1, 100) },
    diskFreeGb: { value: '10', validate: optionalNumber(0, 1_000_000) },
    backupHours: { value: '0', validate: optionalNumber(0, 8760) },
    backupFolder: { value: '' },
    backupKeep: { value: '7', validate: optionalNumber(1, 1000) },
    archiveMonths: { value: '0', validate: optionalNumber(0, 1200) },
    archiveFolder: { value: '' },
    peopleKnown: { value: false },
    roles: { value: '', validate: areRoles },
    lockAfter: { value: '5', validate: optionalNumber(1, 100) },
    lockMinutes: { value: '15', validate: optionalNumber(0, 525_600) },
    passwordLength: { value: '12', validate: optionalNumber(8, 128) },
    passwordDays: { value: '0', validate: optionalNumber(0, 3650) },
    idleMinutes: { value: '15', validate: optionalNumber(1, 1440) },
    dashboardUser: { value: '', validate: isPath },
    httpUser: { value: '', validate: isPath },
    keyFile: { value: '' },
  },
  credentials: { user: { type: 'text' }, password: { type: 'password' } },
  label() {
    return this.name || (this.database === 'postgres' ? this.url.replace(/^postgres(ql)?:\/\//, '') : this.file) || 'store'
  },
  oneditprepare() {
    const database = $('#node-config-input-database')
    // a node from before there was a choice
    if (!database.val()) database.val('sqlite')
    const show = (): void => {
      $('.takt-store-sqlite').toggle(database.val() !== 'postgres')
      $('.takt-store-postgres').toggle(database.val() === 'postgres')
    }
    database.on('change', show)
    show()
  },
})
