import type { NodeRedProcess } from '../../../test/e2e/support/node-red-process.ts'
import type { FaultProxy } from '../../../test/support/fault-proxy.ts'
import type { CaseContext, FaultCase, Outcome, Size } from '../support/case.ts'
import { fileEffects, gapsOf, ledgerEffects, quarantined, tally } from '../support/count.ts'
import { OPCUA_PART, opcuaFlow, UNIT } from '../support/flows.ts'
import { pause, portForServer, SOON_LOST_MS, Stage, untilQuiet } from '../support/stage.ts'

interface OpcuaScene {
  readonly proxy: FaultProxy
  readonly red: NodeRedProcess
  readonly size: Size
}

interface OpcuaCase {
  readonly name: string
  readonly delivery: 'guaranteed' | 'fast'
  /** Values that the server keeps for us. */
  readonly queueSize: number
  /** Whether the server keeps a history too, as a subscription may end with the process that made it. */
  readonly history?: boolean
  during(scene: OpcuaScene): Promise<string | undefined>
}

const RATE = 50
/** Longer than any outage here at this rate. */
const LONG_QUEUE = 50_000
/** Full after a fifth of a second. */
const SHORT_QUEUE = 10

/** Runs a case: OPC UA server that counts up → proxy → Node-RED with the palette, broken on the way; every value that the variable had must arrive. */
async function runOpcua(one: OpcuaCase, { palette, size }: CaseContext): Promise<Outcome> {
  const stage = new Stage(palette)
  const { delivery, queueSize } = one
  const subject = `${UNIT}/part`
  const guaranteed = delivery === 'guaranteed'
  const read = () => (guaranteed ? ledgerEffects(stage.database) : fileEffects(stage.telemetry).recorded)
  try {
    const port = await portForServer()
    const machine = await stage.publisher('opcua-publisher.ts', {
      url: `opc.tcp://127.0.0.1:${port}`,
      topics: [OPCUA_PART],
      qos: 1,
      rate: 0,
      ...(one.history === true && { history: LONG_QUEUE }),
    })
    const proxy = await stage.proxy(port)
    const red = await stage.nodeRed(opcuaFlow({ port: proxy.port, delivery, file: stage.telemetry, queueSize }))
    // the value from before the count: from here on the subscription holds
    await red.until('a first value comes through', () => (read().get(subject)?.size ?? 0) > 0)
    machine.rate(RATE)
    await pause(1000)
    const note = await one.during({ proxy, red, size })
    await pause(2000)
    await machine.stop()
    const sent = machine.sent()
    await untilQuiet(read, [...sent.values()].reduce((sum, values) => sum + values.length, 0) + 1, one.delivery === 'fast' ? SOON_LOST_MS : undefined)
    const { sent: count, lost, doubled, missing, evidence } = tally(sent, read(), () => subject)
    const aside = quarantined(stage.database)
    const notes = [note, guaranteed ? evidence : '', aside.length === 0 ? '' : `set aside: ${aside.join(', ')}`].filter(Boolean).join('; ')
    if (guaranteed) return { sent: count, lost, doubled, note: notes }
    const { gaps } = fileEffects(stage.telemetry)
    const said = gapsOf(missing, gaps)
    return { sent: count, lost, doubled, gaps: said, note: [notes, said.evidence].filter(Boolean).join('; ') }
  } finally {
    await stage.close()
  }
}

function opcuaCase(one: OpcuaCase): FaultCase {
  return { name: one.name, promise: one.delivery === 'fast' ? 'telemetry' : 'guaranteed', run: (context) => runOpcua(one, context) }
}

async function cut({ proxy, size }: OpcuaScene): Promise<string> {
  proxy.cut()
  await pause(size.cutMs)
  proxy.restore()
  await pause(5000)
  return `${size.cutMs / 1000} s`
}

async function blackHole({ proxy, size }: OpcuaScene): Promise<string> {
  proxy.blackHole()
  await pause(size.blackHoleMs)
  proxy.restore()
  await pause(5000)
  return `${size.blackHoleMs / 1000} s`
}

async function kill({ red, size }: OpcuaScene): Promise<string> {
  const kills = Math.max(2, Math.round(size.kills / 10))
  for (let i = 0; i < kills; i++) {
    await pause(Math.random() * 2000)
    await red.kill()
    await red.start()
  }
  await pause(3000)
  return `${kills} kills`
}

/** OPC UA: what the server keeps for us arrives once; what it could not keep is a declared gap. */
export const opcua: readonly FaultCase[] = [
  opcuaCase({ name: 'opcua: link cut', delivery: 'guaranteed', queueSize: LONG_QUEUE, during: cut }),
  opcuaCase({ name: 'opcua: black hole', delivery: 'guaranteed', queueSize: LONG_QUEUE, during: blackHole }),
  opcuaCase({ name: 'opcua: Node-RED kill -9 at random, server with history', delivery: 'guaranteed', queueSize: LONG_QUEUE, history: true, during: kill }),
  opcuaCase({ name: 'opcua telemetry: link cut, short queue', delivery: 'fast', queueSize: SHORT_QUEUE, during: cut }),
  opcuaCase({ name: 'opcua telemetry: black hole, short queue', delivery: 'fast', queueSize: SHORT_QUEUE, during: blackHole }),
  opcuaCase({ name: 'opcua telemetry: Node-RED kill -9, short queue', delivery: 'fast', queueSize: SHORT_QUEUE, during: kill }),
]
