import type { NodeRedProcess } from '../../../test/e2e/support/node-red-process.ts'
import type { FaultProxy } from '../../../test/support/fault-proxy.ts'
import { type Broker, mosquittoThere } from '../support/broker.ts'
import type { CaseContext, FaultCase, Outcome, Size } from '../support/case.ts'
import { fileEffects, gapsOf, ledgerEffects, partsCounted, qualityEffects, quarantined, tally } from '../support/count.ts'
import { JOB_ORDER, type MqttFlow, mqttFlow, PART_TOPIC, UNIT, VIBRATION_TOPIC } from '../support/flows.ts'
import type { Publisher, PublisherOrder } from '../support/publisher.ts'
import { pause, SOON_LOST_MS, Stage, seedOrder, untilQuiet, untilThrough } from '../support/stage.ts'

/** What a case may break. */
export interface MqttScene {
  readonly stage: Stage
  readonly broker: Broker
  /** Between Takt and the broker; the publisher has a line of its own. */
  readonly proxy: FaultProxy
  readonly red: NodeRedProcess
  readonly publisher: Publisher
  readonly size: Size
  readonly flow: MqttFlow
}

export interface MqttCase {
  readonly name: string
  readonly delivery?: 'guaranteed' | 'fast'
  readonly flow?: Partial<MqttFlow>
  readonly order?: Partial<PublisherOrder>
  /** A palette other than the one that is shipped. */
  readonly palette?: (context: CaseContext) => Promise<string>
  readonly env?: Record<string, string>
  /** Losses are expected. */
  readonly lossy?: boolean
  /** Before anything runs. */
  prepare?(stage: Stage): Promise<void>
  /** Breaks things while messages flow; the answer is a note for the table. */
  during(scene: MqttScene): Promise<string | undefined>
}

export const needsMosquitto: string | undefined = mosquittoThere ? undefined : 'needs mosquitto'

const RATE = 100
const WARM_UP_MS = 1000

/** Runs a case: publisher → mosquitto → proxy → Node-RED with the palette → SQLite, broken on the way, counted from both ends. */
export async function runMqtt(one: MqttCase, context: CaseContext): Promise<Outcome> {
  const stage = new Stage((await one.palette?.(context)) ?? context.palette)
  const { delivery = 'guaranteed' } = one
  const guaranteed = delivery === 'guaranteed'
  try {
    const broker = await stage.broker()
    const proxy = await stage.proxy(broker.port)
    await one.prepare?.(stage)
    if (guaranteed) await seedOrder(stage.database)
    const flow: MqttFlow = { port: proxy.port, delivery, file: stage.telemetry, ...one.flow }
    const topic = guaranteed ? PART_TOPIC : VIBRATION_TOPIC
    const subject = `${UNIT}/${guaranteed ? 'part' : 'vibration'}`
    const red = await stage.nodeRed(mqttFlow(flow), one.env)
    const read = () => (guaranteed ? ledgerEffects(stage.database) : fileEffects(stage.telemetry).recorded)
    await untilThrough(broker.url, topic, () => read().get(subject)?.size ?? 0, red)
    const order = { url: broker.url, topics: [topic], qos: guaranteed ? 1 : 0, rate: RATE, job: JOB_ORDER, ...one.order } as const
    const publisher = await stage.publisher('mqtt-publisher.ts', order)
    await pause(WARM_UP_MS)
    const note = await one.during({ stage, broker, proxy, red, publisher, size: context.size, flow })
    await pause(WARM_UP_MS)
    await publisher.stop()
    const sent = publisher.sent()
    const expected = [...sent.values()].reduce((sum, messages) => sum + messages.length, 0)
    // the sink hears a message twice, as part and as total, and the probes besides
    await untilQuiet(read, guaranteed ? 2 * expected + 1 : expected + 1, one.lossy === true || !guaranteed ? SOON_LOST_MS : undefined)
    return guaranteed ? guaranteedOutcome(stage, sent, note) : telemetryOutcome(stage, sent, subject, note)
  } finally {
    await stage.close()
  }
}

/** Three counts of the same messages: the ledger's events, the quality gate's results, the total that machine state has booked. */
function guaranteedOutcome(stage: Stage, sent: ReturnType<Publisher['sent']>, note: string | undefined): Outcome {
  const effects = ledgerEffects(stage.database)
  const part = tally(sent, effects, () => `${UNIT}/part`)
  const good = tally(sent, effects, () => `${UNIT}/good`)
  const quality = tally(sent, qualityEffects(stage.database, 'part'), () => 'part')
  const highest = Math.max(...(sent.get(PART_TOPIC) ?? []).map(({ sequence }) => sequence))
  const parts = partsCounted(stage.database)
  const aside = quarantined(stage.database)
  const doubled = part.doubled + good.doubled + quality.doubled
  const lost = Math.max(part.lost, good.lost, quality.lost)
  const remarks = [
    note,
    part.evidence || good.evidence || (quality.evidence && `quality gate: ${quality.evidence}`),
    parts === highest ? undefined : `machine state counted ${parts} of ${highest}`,
    aside.length === 0 ? undefined : `set aside: ${aside.join(', ')}`,
  ]
  return {
    sent: part.sent,
    lost: lost + Math.max(0, highest - parts),
    doubled: doubled + Math.max(0, parts - highest),
    note: remarks.filter(Boolean).join('; '),
  }
}

function telemetryOutcome(stage: Stage, sent: ReturnType<Publisher['sent']>, subject: string, note: string | undefined): Outcome {
  const { recorded, gaps } = fileEffects(stage.telemetry)
  const { sent: count, lost, doubled, missing } = tally(sent, recorded, () => subject)
  const said = gapsOf(missing, gaps)
  return { sent: count, lost, doubled, gaps: said, note: [note, said.evidence].filter(Boolean).join('; ') }
}

export function mqttCase(one: MqttCase, promise: FaultCase['promise'] = one.delivery === 'fast' ? 'telemetry' : 'guaranteed'): FaultCase {
  return { name: one.name, promise, missing: needsMosquitto, run: (context) => runMqtt(one, context) }
}
