import type { Clock } from '../../base/clock.ts'
import type { BoundSignal, Plant } from '../../plant/plant.ts'
import type { TimeTolerance } from '../../signal/sample.ts'
import type { HostSetting } from './host-setting.ts'
import type { MetricTarget } from './metric-table.ts'

export interface TargetSetting {
  readonly plant: Plant
  readonly clock: Clock
  readonly tolerance: TimeTolerance
  /** For errors: the node. */
  readonly where: string
}

/** The signals that the plant model binds to metrics of devices on a connection, and the edge nodes that these belong to (`<group>/<edge node>`). */
export function boundTargets(connection: string, setting: TargetSetting): { readonly targets: HostSetting['targets']; readonly edgeNodes: readonly string[] } {
  const byMetric = new Map<string, MetricTarget[]>()
  const edgeNodes = new Set<string>()
  for (const bound of setting.plant.signalsOfConnection(connection)) {
    const { device, metric } = bound.signal.source ?? {}
    if (device === undefined || metric === undefined) continue
    edgeNodes.add(device.split('/').slice(0, 2).join('/'))
    const key = `${device}\n${metric}`
    byMetric.set(key, [...(byMetric.get(key) ?? []), targetOf(bound, setting, `${device} metric ${metric}`)])
  }
  const none: readonly MetricTarget[] = []
  const targets: HostSetting['targets'] = (group, node, device) => {
    const path = device === undefined ? `${group}/${node}` : `${group}/${node}/${device}`
    return (metric) => byMetric.get(`${path}\n${metric}`) ?? none
  }
  return { targets, edgeNodes: [...edgeNodes] }
}

/** `{group}/{edge}/{device}/{metric}` and the like, without the levels that a metric of the edge node itself does not have. */
export function templateTargets(template: string, setting: TargetSetting): HostSetting['targets'] {
  const levels = template.split('/')
  return (group, node, device) => (metric) => {
    const names: Readonly<Record<string, string>> = { group, edge: node, device: device ?? '', metric }
    const topic = levels
      .map((level) => level.replace(/\{(group|edge|device|metric)\}/g, (_part, name: string) => names[name] ?? ''))
      .filter((level) => level !== '')
      .join('/')
    const bound = setting.plant.signal(topic)
    return bound === undefined ? [] : [targetOf(bound, setting, `${group}/${node}${device === undefined ? '' : `/${device}`} metric ${metric}`)]
  }
}

function targetOf(bound: BoundSignal, { clock, tolerance, where }: TargetSetting, metric: string): MetricTarget {
  return { bound, topic: `${bound.equipment.id}/${bound.signal.name}`, setting: { clock, tolerance, where: `${where}, ${metric}` } }
}
