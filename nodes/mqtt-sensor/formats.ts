import { systemClock } from '../../core/base/clock.ts'
import { TaktError } from '../../core/base/error.ts'
import type { MqttFormat } from '../../core/connect/mqtt-decoder.ts'
import { bindingDecoders, type MqttSampleSetting, templateDecoder } from '../../core/connect/mqtt-samples.ts'
import { type HostScope, sparkplugFormat } from '../../core/connect/sparkplug/host-format.ts'
import { type HostMemory, type HostSetting, REORDER_MS } from '../../core/connect/sparkplug/host-setting.ts'
import { boundTargets, templateTargets } from '../../core/connect/sparkplug/host-targets.ts'
import { isFilter } from '../../core/connect/topics.ts'
import type { Plant } from '../../core/plant/plant.ts'
import { DEFAULT_TOLERANCE } from '../../core/signal/sample.ts'
import { numberSetting } from '../shared/settings.ts'
import type { MqttSensorConfig } from './mqtt-sensor.ts'

/** What the sensor reads, by its settings and the plant model. Throws TAKT_CONFIG_INVALID where that is nothing. */
export function formats(config: MqttSensorConfig, plant: Plant, setting: MqttSampleSetting, memory: HostMemory): readonly MqttFormat[] {
  const { where, source } = setting
  const targetSetting = { plant, clock: setting.clock, tolerance: setting.tolerance ?? DEFAULT_TOLERANCE, where }
  const host = (targets: HostSetting['targets'], scope: HostScope): MqttFormat => sparkplugFormat({ ...hostSetting(config, setting), targets, memory }, scope)
  if (config.mode === 'topic') {
    if (!isFilter(config.topic)) throw new TaktError('TAKT_CONFIG_INVALID', { what: `'${config.topic}' is not a topic filter`, where })
    const mapping = {
      filter: config.topic,
      template: config.template || '{equipment}/{signal}',
      target: config.target || '{equipment}/{signal}',
      value: config.value || undefined,
      time: config.time || undefined,
    }
    return [{ decoders: [templateDecoder(mapping, plant, setting)] }]
  }
  if (config.mode === 'sparkplug') {
    const group = config.group?.trim() ?? ''
    if (/[/+#]/.test(group)) throw new TaktError('TAKT_CONFIG_INVALID', { what: `'${group}' is not the name of a Sparkplug group`, where })
    return [host(templateTargets(config.metricTarget || METRIC_TARGET, targetSetting), group === '' ? 'all' : { group })]
  }
  const decoders = bindingDecoders(plant, source, setting)
  const { targets, edgeNodes } = boundTargets(source, targetSetting)
  if (decoders.length === 0 && edgeNodes.length === 0)
    throw new TaktError('TAKT_CONFIG_INVALID', { what: `no signal of the plant model has a topic or a Sparkplug metric on the connection '${source}'`, where })
  return [...(decoders.length > 0 ? [{ decoders }] : []), ...(edgeNodes.length > 0 ? [host(targets, { edgeNodes })] : [])]
}

const METRIC_TARGET = '{group}/{edge}/{device}/{metric}'

function hostSetting(config: MqttSensorConfig, { clock, where, source, maxBytes }: MqttSampleSetting): Omit<HostSetting, 'targets' | 'memory'> {
  const hostId = (config.hostId ?? 'takt').trim()
  if (/[/+#]/.test(hostId)) throw new TaktError('TAKT_CONFIG_INVALID', { what: `'${hostId}' is no id of a Sparkplug host: it has a '/', '+' or '#'`, where })
  return {
    hostId: hostId === '' ? undefined : hostId,
    clock,
    timers: systemClock,
    source,
    where,
    // a birth is much larger than the data after it
    limits: config.maxKb ? { maxBytes } : {},
    reorderMs: numberSetting(where)(config.reorderSeconds, 'time to wait for missing messages', REORDER_MS / 1000, 0, 300) * 1000,
  }
}
