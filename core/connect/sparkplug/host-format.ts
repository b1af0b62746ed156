import type { MqttFormat } from '../mqtt-decoder.ts'
import type { MqttWill } from '../mqtt-options.ts'
import { SparkplugHost } from './host.ts'
import type { HostSetting } from './host-setting.ts'
import { NAMESPACE } from './topic.ts'

export interface SparkplugFormat extends MqttFormat {
  readonly host: SparkplugHost
}

/** What a host hears: single edge nodes (`<group>/<edge node>`), all of one group, or all of the broker. */
export type HostScope = { readonly edgeNodes: readonly string[] } | { readonly group: string } | 'all'

/** A host application as a payload format of the mqtt sensor. */
export function sparkplugFormat(setting: HostSetting, scope: HostScope = 'all'): SparkplugFormat {
  const host = new SparkplugHost(setting)
  const filters = filtersOf(scope)
  // never twice: some brokers deliver a message once a filter
  if (scope !== 'all' && host.stateTopic !== undefined) filters.push(host.stateTopic)
  return {
    host,
    cleanSession: true,
    // wills come with QoS 1; everything else is published with QoS 0, as Sparkplug asks
    decoders: filters.map((filter) => ({ filter, qos: 1, decode: (message, sink) => host.take(message, sink) })),
    ...(host.stateTopic === undefined ? {} : { will: () => host.will() as MqttWill }),
    connected: (line) => host.connected(line),
    lost: (line) => host.lost(line),
    stop: (line) => host.stop(line),
  }
}

function filtersOf(scope: HostScope): string[] {
  if (scope === 'all') return [`${NAMESPACE}/#`]
  if ('group' in scope) return [`${NAMESPACE}/${scope.group}/#`]
  return scope.edgeNodes.map((path) => path.split('/')).map(([group, node]) => `${NAMESPACE}/${group}/+/${node}/#`)
}
