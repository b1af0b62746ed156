import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { FaultCase } from '../support/case.ts'
import { mqttFlow } from '../support/flows.ts'
import { pause } from '../support/stage.ts'
import { mqttCase } from './mqtt.ts'

/** Guaranteed delivery over MQTT: whatever breaks, what the machine was told is safe is recorded, once. */
export const mqttGuaranteed: readonly FaultCase[] = [
  mqttCase({
    name: 'mqtt: link cut',
    async during({ proxy, size }) {
      proxy.cut()
      await pause(size.cutMs)
      proxy.restore()
      return `${size.cutMs / 1000} s`
    },
  }),
  mqttCase({
    name: 'mqtt: link cut, sender without numbering',
    flow: { numbered: false },
    async during({ proxy, size }) {
      proxy.cut()
      await pause(size.cutMs)
      proxy.restore()
      return `${size.cutMs / 1000} s`
    },
  }),
  mqttCase({
    name: 'mqtt: acknowledgements swallowed, then cut (the broker repeats)',
    flow: { numbered: false },
    async during({ proxy }) {
      for (let i = 0; i < 3; i++) {
        proxy.blackHole('up')
        await pause(1500)
        proxy.cut()
        await pause(100)
        proxy.restore()
        await pause(1500)
      }
      return '3 times'
    },
  }),
  mqttCase({
    name: 'mqtt: black hole',
    async during({ proxy, size }) {
      proxy.blackHole()
      await pause(size.blackHoleMs)
      proxy.restore()
      return `${size.blackHoleMs / 1000} s`
    },
  }),
  mqttCase({
    name: 'mqtt: broker SIGTERM and start',
    async during({ broker }) {
      await broker.stop('SIGTERM')
      await pause(2000)
      await broker.start()
      await pause(2000)
      return undefined
    },
  }),
  mqttCase({
    name: 'mqtt: broker SIGKILL and start',
    // a broker acknowledges before it persists: the sender keeps what is not old enough to be safe
    order: { resendMs: 10_000 },
    async during({ broker }) {
      await broker.save()
      await pause(2000)
      await broker.stop('SIGKILL')
      await pause(2000)
      await broker.start()
      await pause(2000)
      return 'the sender repeats the last 10 s after a lost connection'
    },
  }),
  mqttCase({
    name: 'mqtt: Node-RED kill -9 at random',
    order: { rate: 50 },
    async during({ red, size }) {
      for (let kill = 0; kill < size.kills; kill++) {
        await pause(Math.random() * 1500)
        await red.kill()
        await red.start()
      }
      return `${size.kills} kills`
    },
  }),
  mqttCase({
    name: 'mqtt: redeploy of everything under load',
    async during({ red, size, flow }) {
      for (let deploy = 0; deploy < size.redeploys; deploy++) {
        await red.deploy(mqttFlow(flow))
        await pause(Math.random() * 500)
      }
      return `${size.redeploys} deploys`
    },
  }),
  mqttCase({
    name: 'mqtt: database locked by another process',
    async during({ stage, size }) {
      const other = new DatabaseSync(stage.database)
      try {
        other.exec('PRAGMA busy_timeout = 5000')
        other.exec('BEGIN IMMEDIATE')
        await pause(size.awayMs)
        other.exec('ROLLBACK')
      } finally {
        other.close()
      }
      await pause(2000)
      return `${size.awayMs / 1000} s`
    },
  }),
  diskFull(),
  mqttCase({
    name: 'mqtt: duplicates, shuffled and late',
    order: { duplicates: 0.2, shuffle: 50 },
    async during() {
      await pause(8000)
      return 'a fifth sent twice, in random order'
    },
  }),
  mqttCase({
    name: 'mqtt: slow consumer, slow line, and a kill',
    flow: { slowMs: 200 },
    order: { rate: 300 },
    async during({ proxy, red }) {
      proxy.throttle(20_000)
      await pause(6000)
      await red.kill()
      proxy.restore()
      await red.start()
      await pause(4000)
      return undefined
    },
  }),
]

/** A database on a file system of a few megabytes, which somebody else fills up and clears again. */
function diskFull(): FaultCase {
  const one = mqttCase({
    name: 'mqtt: disk full (tmpfs)',
    async prepare(stage) {
      const folder = dirname(stage.database)
      mkdirSync(folder, { recursive: true })
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', folder])
      stage.after(() => execFileSync('umount', ['-l', folder]))
    },
    async during({ stage, size }) {
      const filler = join(dirname(stage.database), 'filler')
      const fill = (bytes: number): void => {
        try {
          for (;;) writeFileSync(filler, Buffer.alloc(bytes), { flag: 'a' })
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        }
      }
      fill(65_536)
      fill(512)
      await pause(size.awayMs)
      rmSync(filler)
      await pause(3000)
      return `${size.awayMs / 1000} s`
    },
  })
  const root = process.platform === 'linux' && process.getuid?.() === 0
  return { ...one, missing: one.missing ?? (root ? undefined : 'needs root, to mount a tmpfs') }
}
