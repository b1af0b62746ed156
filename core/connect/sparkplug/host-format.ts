import type { MqttFormat } from '../mqtt-decoder.ts'
import type { MqttWill } from '../mqtt-options.ts'
import { SparkplugHost } from './host.ts'
import type { HostSetting } from './host-setting.ts'
import { NAMESPACE } from './topic.ts'

export interface SparkplugFormat extends MqttFormat {
  readonly host: SparkplugHost
}

/** A host application as a payload format of the mqtt sensor. Without `edgeNodes` it hears every edge node of the broker. */
export function sparkplugFormat(setting: HostSetting, edgeNodes?: readonly string[]): SparkplugFormat {
  const host = new SparkplugHost(setting)
  const all = edgeNodes === undefined
  const filters = all ? [`${NAMESPACE}/#`] : edgeNodes.map((path) => path.split('/')).map(([group, node]) => `${NAMESPACE}/${group}/+/${node}/#`)
  // one filter a message: some brokers deliver once a filter
  if (!all && host.stateTopic !== undefined) filters.push(host.stateTopic)
  return {
    host,
    // wills come with QoS 1; everything else is published with QoS 0 as Sparkplug asks
    decoders: filters.map((filter) => ({ filter, qos: 1, decode: (message, sink) => host.take(message, sink) })),
    ...(host.stateTopic === undefined ? {} : { will: () => host.will() as MqttWill }),
    connected: (line) => host.connected(line),
    lost: (line) => host.lost(line),
    stop: (line) => host.stop(line),
  }
}
