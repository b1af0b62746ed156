import { TaktError } from '../../core/base/error.ts'
import type { MqttFormat } from '../../core/connect/mqtt-decoder.ts'
import { bindingDecoders, type MqttSampleSetting, templateDecoder } from '../../core/connect/mqtt-samples.ts'
import { isFilter } from '../../core/connect/topics.ts'
import type { Plant } from '../../core/plant/plant.ts'
import type { MqttSensorConfig } from './mqtt-sensor.ts'

/** What the sensor reads, by its settings and the plant model. Throws TAKT_CONFIG_INVALID where that is nothing. */
export function formats(config: MqttSensorConfig, plant: Plant, setting: MqttSampleSetting): readonly MqttFormat[] {
  const { where, source } = setting
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
  const decoders = bindingDecoders(plant, source, setting)
  if (decoders.length === 0)
    throw new TaktError('TAKT_CONFIG_INVALID', { what: `no signal of the plant model has a topic on the connection '${source}'`, where })
  return [{ decoders }]
}
