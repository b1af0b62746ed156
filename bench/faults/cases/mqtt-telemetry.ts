import type { FaultCase } from '../support/case.ts'
import { pause } from '../support/stage.ts'
import { mqttCase } from './mqtt.ts'

/** Telemetry over MQTT: it may be lost, but then a gap with bounds says so. */
export const mqttTelemetry: readonly FaultCase[] = [
  mqttCase({
    name: 'mqtt telemetry: link cut',
    delivery: 'fast',
    async during({ proxy, size }) {
      proxy.cut()
      await pause(size.cutMs)
      proxy.restore()
      await pause(2500)
      return `${size.cutMs / 1000} s`
    },
  }),
  mqttCase({
    name: 'mqtt telemetry: black hole',
    delivery: 'fast',
    async during({ proxy, size }) {
      proxy.blackHole()
      await pause(size.blackHoleMs)
      proxy.restore()
      await pause(2500)
      return `${size.blackHoleMs / 1000} s`
    },
  }),
  mqttCase({
    name: 'mqtt telemetry: broker SIGKILL and start',
    delivery: 'fast',
    async during({ broker }) {
      await broker.stop('SIGKILL')
      await pause(2000)
      await broker.start()
      await pause(2500)
      return undefined
    },
  }),
  mqttCase({
    name: 'mqtt telemetry: Node-RED kill -9',
    delivery: 'fast',
    async during({ red, size }) {
      const kills = Math.min(3, size.kills)
      for (let kill = 0; kill < kills; kill++) {
        await pause(1500)
        await red.kill()
        await red.start()
      }
      await pause(2500)
      return `${kills} kills`
    },
  }),
]
