import type { FlowNode } from '../../../test/e2e/support/node-red-process.ts'

/** Flows of the fault cases: as small as a plant's, and everything in them that records. */

export const UNIT = 'acme/line-1/press-1'
export const JOB_ORDER = 'jo-faults-10'
/** What the machine calls its parts; the message is a characteristic for the quality gate and a running total for machine state. */
export const PART_TOPIC = 'press-1/part'
export const VIBRATION_TOPIC = 'press-1/vibration'
export const OPCUA_PART = 'Part'

/** The plant model: one unit, whose parts come over MQTT or OPC UA. */
export function plantModel(over: 'mqtt' | 'opcua'): string {
  const mqtt = (topic: string): string => `connection: line, topic: ${topic}, value: $.v, time: $.ts, context: { serial: $.serial, jobOrder: $.job }`
  const part = over === 'mqtt' ? mqtt(PART_TOPIC) : `connection: server, nodeId: 'ns=1;s=${OPCUA_PART}'`
  const signals = [
    `{ name: part, role: characteristic, source: { ${part} } }`,
    ...(over === 'mqtt'
      ? [`{ name: good, role: good-count, source: { ${mqtt(PART_TOPIC)} } }`, `{ name: vibration, role: condition, source: { ${mqtt(VIBRATION_TOPIC)} } }`]
      : []),
  ]
  return `
plant: acme
equipment:
  - { id: ${UNIT}, level: workUnit, classes: [press], signals: [${signals.join(', ')}] }
materials:
  - { id: bracket, unit: pcs }
workMasters:
  - id: bracket
    version: 1
    produces: bracket
    operations:
      - id: '10'
        alternatives: [{ class: press, perPieceMs: 1000 }]
        characteristics: [{ id: part, lower: 0, upper: 1000000000 }]
`
}

export interface MqttFlow {
  readonly port: number
  readonly delivery: 'guaranteed' | 'fast'
  /** Where the sink writes telemetry and gaps. */
  readonly file: string
  /** Milliseconds that the sink takes for each sample. */
  readonly slowMs?: number
  /** The broker keeps the session and queues for it. */
  readonly keepSession?: boolean
  /** Whether the sender's own numbering is read from the payload. */
  readonly numbered?: boolean
  readonly storeFile?: string
}

const tab = { id: 'f0', type: 'tab', label: 'faults' }

/** mqtt sensor → sink, and for guaranteed delivery quality gate and machine state beside it: three kinds of effect of each message. */
export function mqttFlow(options: MqttFlow): FlowNode[] {
  const { port, delivery, file, slowMs = 0, keepSession = delivery === 'guaranteed', numbered = true, storeFile = '' } = options
  const guaranteed = delivery === 'guaranteed'
  const paths = numbered ? { session: '$.session', sequence: '$.sequence' } : {}
  return [
    tab,
    { id: 'a1', type: 'takt-plant', name: 'faults', source: 'inline', model: plantModel('mqtt'), clock: 'system' },
    { id: 'a2', type: 'takt-store', name: 'faults', file: storeFile, plant: 'a1' },
    {
      id: 'a3',
      type: 'takt-mqtt-broker',
      name: 'line',
      url: `mqtt://127.0.0.1:${port}`,
      protocolVersion: '5',
      clientId: 'takt-faults',
      cleanSession: !keepSession,
      keepalive: 5,
      receiveMaximum: 1000,
    },
    {
      id: 's1',
      z: 'f0',
      type: 'takt-mqtt-sensor',
      plant: 'a1',
      broker: 'a3',
      // telemetry has it too: there it is remembered when the last value came
      store: 'a2',
      delivery,
      mode: 'bindings',
      qos: guaranteed ? '1' : '0',
      maxAgeDays: 3650,
      ...paths,
      wires: [guaranteed ? ['k1', 'q1', 'm1'] : ['k1']],
    },
    { id: 'k1', z: 'f0', type: 'takt-faults-sink', store: guaranteed ? 'a2' : '', file, delayMs: slowMs, wires: [] },
    ...(guaranteed
      ? [
          { id: 'q1', z: 'f0', type: 'takt-quality-gate', plant: 'a1', store: 'a2', wires: [[], [], []] },
          { id: 'm1', z: 'f0', type: 'takt-machine-state', plant: 'a1', store: 'a2', staleAfter: '', wires: [[], []] },
        ]
      : []),
  ]
}

export interface OpcuaFlow {
  readonly port: number
  readonly delivery: 'guaranteed' | 'fast'
  readonly file: string
  readonly queueSize: number
}

/** opcua sensor → sink. */
export function opcuaFlow({ port, delivery, file, queueSize }: OpcuaFlow): FlowNode[] {
  const guaranteed = delivery === 'guaranteed'
  return [
    tab,
    { id: 'a1', type: 'takt-plant', name: 'faults', source: 'inline', model: plantModel('opcua'), clock: 'system' },
    { id: 'a2', type: 'takt-store', name: 'faults', file: '', plant: 'a1' },
    {
      id: 'a3',
      type: 'takt-opcua-endpoint',
      name: 'server',
      url: `opc.tcp://127.0.0.1:${port}`,
      securityMode: 'None',
      securityPolicy: 'None',
      acceptServerCertificate: true,
    },
    {
      id: 's1',
      z: 'f0',
      type: 'takt-opcua-sensor',
      plant: 'a1',
      endpoint: 'a3',
      store: 'a2',
      delivery,
      mode: 'bindings',
      publishing: 100,
      sampling: 0,
      queueSize,
      wires: [['k1']],
    },
    { id: 'k1', z: 'f0', type: 'takt-faults-sink', store: guaranteed ? 'a2' : '', file, delayMs: 0, wires: [] },
  ]
}

export interface HistorianFlow {
  readonly port: number
  readonly influxPort: number
  readonly delivery: 'guaranteed' | 'fast'
  readonly file: string
}

/** mqtt sensor → historian → InfluxDB; what the historian says of gaps goes to the sink. */
export function historianFlow({ port, influxPort, delivery, file }: HistorianFlow): FlowNode[] {
  const flow = mqttFlow({ port, delivery, file })
  const kept = flow.filter(({ id }) => !['k1', 'q1', 'm1'].includes(id)).map((node) => (node.id === 's1' ? { ...node, qos: '1', wires: [['h1']] } : node))
  return [
    ...kept,
    { id: 'a4', type: 'takt-influxdb', name: 'influx', url: `http://127.0.0.1:${influxPort}`, database: 'faults', createDatabase: true, timeout: 5 },
    {
      id: 'h1',
      z: 'f0',
      type: 'takt-historian',
      mode: 'write',
      influxdb: 'a4',
      plant: 'a1',
      store: delivery === 'guaranteed' ? 'a2' : '',
      batchMs: 200,
      wires: [['k1']],
    },
    { id: 'k1', z: 'f0', type: 'takt-faults-sink', store: '', file, delayMs: 0, wires: [] },
  ]
}
