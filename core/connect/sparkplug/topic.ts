/** First level of every Sparkplug B topic (3.0, section 4.1). */
export const NAMESPACE = 'spBv1.0'

const NODE_VERBS = ['NBIRTH', 'NDEATH', 'NDATA', 'NCMD'] as const
const DEVICE_VERBS = ['DBIRTH', 'DDEATH', 'DDATA', 'DCMD'] as const
export type SparkplugVerb = (typeof NODE_VERBS)[number] | (typeof DEVICE_VERBS)[number]

export interface EdgeTopic {
  readonly group: string
  readonly verb: SparkplugVerb
  readonly node: string
  /** Only with the verbs of devices. */
  readonly device: string | undefined
}

/** The parts of `spBv1.0/<group>/<verb>/<edge node>[/<device>]`; `undefined` for a topic of another form. */
export function readEdgeTopic(topic: string): EdgeTopic | undefined {
  const [namespace, group, verb, node, device, ...rest] = topic.split('/')
  if (namespace !== NAMESPACE || group === undefined || group === '' || node === undefined || node === '' || rest.length > 0 || device === '') return undefined
  const verbs: readonly string[] = device === undefined ? NODE_VERBS : DEVICE_VERBS
  return verb !== undefined && verbs.includes(verb) ? { group, verb: verb as SparkplugVerb, node, device } : undefined
}

/** The topic of a message of an edge node, or with a device of one of its devices. */
export function edgeTopic(group: string, verb: SparkplugVerb, node: string, device?: string): string {
  return `${NAMESPACE}/${group}/${verb}/${node}${device === undefined ? '' : `/${device}`}`
}

/** Where a host application says whether it is online. */
export function stateTopic(hostId: string): string {
  return `${NAMESPACE}/STATE/${hostId}`
}
