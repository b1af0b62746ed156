import { hasInfluxd, Influxd } from '../../../test/core/connect/support/influxd.ts'
import type { NodeRedProcess } from '../../../test/e2e/support/node-red-process.ts'
import type { FaultProxy } from '../../../test/support/fault-proxy.ts'
import type { CaseContext, FaultCase, Outcome, Size } from '../support/case.ts'
import { fileEffects, gapsOf, type Recorded, tally } from '../support/count.ts'
import { historianFlow, PART_TOPIC } from '../support/flows.ts'
import { pause, SOON_LOST_MS, Stage, untilQuiet, untilThrough } from '../support/stage.ts'
import { needsMosquitto } from './mqtt.ts'

interface InfluxScene {
  readonly influxd: Influxd
  /** Between the historian and InfluxDB. */
  readonly proxy: FaultProxy
  readonly red: NodeRedProcess
  readonly size: Size
}

interface InfluxCase {
  readonly name: string
  readonly delivery: 'guaranteed' | 'fast'
  during(scene: InfluxScene): Promise<string | undefined>
}

const DATABASE = 'faults'
const RATE = 100
/** Points of one series and one time are one point: each message has a time of its own. */
const STEP_MS = 7

/** What InfluxDB holds, asked without our code. */
async function points(influxd: Influxd): Promise<Recorded> {
  const series = await influxd.ask('SELECT value FROM characteristic', DATABASE).catch(() => [])
  const values = (series[0]?.values ?? []) as ReadonlyArray<readonly [number, number]>
  return new Map([['part', new Map(values.map(([, value]) => [value, 1]))]])
}

/** Runs a case: publisher → mosquitto → mqtt sensor → historian → proxy → InfluxDB. */
async function runInflux(one: InfluxCase, { palette, size }: CaseContext): Promise<Outcome> {
  const stage = new Stage(palette)
  try {
    const broker = await stage.broker()
    const influxd = await Influxd.start()
    stage.after(() => influxd.remove())
    const proxy = await stage.proxy(influxd.port)
    const red = await stage.nodeRed(historianFlow({ port: broker.port, influxPort: proxy.port, delivery: one.delivery, file: stage.telemetry }))
    let recorded: Recorded = new Map()
    const look = async (): Promise<number> => {
      recorded = await points(influxd)
      return recorded.get('part')?.size ?? 0
    }
    let through = 0
    const watch = setInterval(() => void look().then((count) => (through = count)), 300)
    await untilThrough(broker.url, PART_TOPIC, () => through, red).finally(() => clearInterval(watch))
    const machine = await stage.publisher('mqtt-publisher.ts', { url: broker.url, topics: [PART_TOPIC], qos: 1, rate: RATE, stepMs: STEP_MS })
    await pause(1000)
    const note = await one.during({ influxd, proxy, red, size })
    await pause(2000)
    await machine.stop()
    const sent = machine.sent()
    const expected = sent.get(PART_TOPIC)?.length ?? 0
    await untilQuiet(
      async () => {
        await look()
        return recorded
      },
      expected,
      one.delivery === 'fast' ? SOON_LOST_MS : undefined,
    )
    const { sent: count, lost, doubled, missing, evidence } = tally(sent, recorded, () => 'part')
    const { gaps } = fileEffects(stage.telemetry)
    return {
      sent: count,
      lost,
      doubled,
      ...(one.delivery === 'fast' && { gaps: gapsOf(missing, gaps) }),
      note: [note, evidence].filter(Boolean).join('; '),
    }
  } finally {
    await stage.close()
  }
}

function influxCase(one: InfluxCase): FaultCase {
  const missing = needsMosquitto ?? (hasInfluxd() ? undefined : 'needs influxd')
  return { name: one.name, promise: one.delivery === 'fast' ? 'telemetry' : 'guaranteed', missing, run: (context) => runInflux(one, context) }
}

async function cut({ proxy, size }: InfluxScene): Promise<string> {
  proxy.cut()
  await pause(size.cutMs)
  proxy.restore()
  return `${size.cutMs / 1000} s`
}

/** The historian: what the database could not take waits on disk. */
export const influx: readonly FaultCase[] = [
  influxCase({ name: 'influx: link cut', delivery: 'guaranteed', during: cut }),
  influxCase({
    name: 'influx: black hole',
    delivery: 'guaranteed',
    async during({ proxy, size }) {
      proxy.blackHole()
      await pause(size.blackHoleMs)
      proxy.restore()
      return `${size.blackHoleMs / 1000} s`
    },
  }),
  influxCase({
    name: 'influx: database kill -9, away, and back',
    delivery: 'guaranteed',
    async during({ influxd, size }) {
      await influxd.stop('SIGKILL')
      await pause(size.awayMs)
      await influxd.start()
      return `${size.awayMs / 1000} s`
    },
  }),
  influxCase({
    name: 'influx: Node-RED kill -9 while the database is away',
    delivery: 'guaranteed',
    async during({ red, proxy }) {
      proxy.cut()
      for (let kill = 0; kill < 2; kill++) {
        await pause(2500)
        await red.kill()
        await red.start()
      }
      proxy.restore()
      return '2 kills'
    },
  }),
  influxCase({ name: 'influx telemetry: link cut', delivery: 'fast', during: cut }),
]
