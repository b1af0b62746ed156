import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FlowBuilder } from './builder.ts'

/** The config nodes that all tabs share, by their ids. */
export interface Shared {
  readonly plant: string
  readonly store: string
  readonly broker: string
  readonly endpoint: string
}

/** Seldom taken by others, and below the range from which systems lend out ports. */
const MQTT_PORT = '11883'
export const OPCUA_PORT = '14840'

export function addSettings(flow: FlowBuilder): Shared {
  const model = readFileSync(join(import.meta.dirname, '..', 'reference-plant.json'), 'utf8')
  const plant = flow.config('plant', { type: 'takt-plant', name: 'Acme Berlin', source: 'inline', file: '', model, clock: 'simulator' })
  return {
    plant,
    store: flow.config('store', { type: 'takt-store', name: 'records', file: 'takt/takt.db', plant }),
    broker: flow.config('broker', {
      type: 'takt-mqtt-broker',
      name: 'line-1-mqtt',
      url: '',
      host: '127.0.0.1',
      port: MQTT_PORT,
      embedded: true,
      protocolVersion: '4',
      clientId: '',
      // what is published while we are away comes when we are back, where the broker outlives us
      cleanSession: false,
      sessionExpiry: '',
      keepalive: '',
      receiveMaximum: '',
      maximumPacketKb: '',
      tls: '',
    }),
    endpoint: flow.config('endpoint', {
      type: 'takt-opcua-endpoint',
      name: 'line-1-opcua',
      url: `opc.tcp://127.0.0.1:${OPCUA_PORT}`,
      securityMode: 'None',
      securityPolicy: 'Basic256Sha256',
      acceptServerCertificate: false,
    }),
  }
}

/** What goes wrong on a tab, where a person sees it: in the debug sidebar. */
export function addCatch(flow: FlowBuilder, tab: string): void {
  flow.group(`What goes wrong on this tab (${tab})`)
  flow.node(`catch ${tab}`, { type: 'catch', name: 'every error', scope: null, uncaught: false }, [0, 0])
  flow.node(
    `debug ${tab}`,
    {
      type: 'debug',
      name: `errors of ${tab}`,
      active: true,
      tosidebar: true,
      console: false,
      tostatus: true,
      complete: 'error',
      targetType: 'msg',
      statusVal: 'error.message',
      statusType: 'msg',
    },
    [1, 0],
  )
  flow.wire(`catch ${tab}`, `debug ${tab}`)
}

/** A debug node that is off until somebody wants to look. */
export function quietDebug(name: string): Parameters<FlowBuilder['node']>[1] {
  return {
    type: 'debug',
    name,
    active: false,
    tosidebar: true,
    console: false,
    tostatus: false,
    complete: 'payload',
    targetType: 'msg',
    statusVal: '',
    statusType: 'auto',
  }
}
