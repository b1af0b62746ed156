import type { FlowBuilder } from './builder.ts'
import { addCatch, quietDebug, type Shared } from './settings.ts'

const MINUTE_MS = 60_000

const ANOMALY = {
  type: 'takt-anomaly',
  name: 'wear',
  method: 'auto',
  sensitivity: 'high',
  warmup: '',
  low: '',
  high: '',
  rate: '',
  ratePer: 'second',
  lambda: '0.2',
  width: '4',
  window: '100',
  threshold: '6',
  stuckFor: '300',
  tolerance: '0',
  holdOff: '0',
  clearAfter: '60',
  escalateAfter: '30',
  roles: '',
  filter: '*/vibration',
  judgeOnlyIn: '',
  settle: '0',
  maxSignals: '10000',
  // each product has a level of its own: with one baseline for all, a change of product looks like wear
  context: 'product',
  saveEvery: '60',
}

const UNIT = 'acme/berlin/machining/line-1/mill-1'

const GROUP = {
  type: 'takt-anomaly-group',
  name: 'mill-1 as a whole',
  equipment: UNIT,
  signals: 'vibration, temperature, load',
  sensitivity: 'low',
  // long enough that it has made all of its products, and has been cold and warm
  learnFor: '8',
  learnUnit: 'hours',
  every: '0',
  hold: '60',
  holdOff: '0',
  clearAfter: '60',
  escalateAfter: '30',
  judgeOnlyIn: '',
  settle: '0',
  saveEvery: '60',
  value: 'payload',
  valueType: 'msg',
  signal: 'topic',
  signalType: 'msg',
  time: '',
  timeType: 'now',
}

const PROGNOSIS = {
  type: 'takt-prognosis',
  name: 'until the vibration alarm',
  indicator: 'value',
  // none: the alarm limit that the plant model gives each signal
  threshold: '',
  direction: '',
  roles: '',
  filter: '*/vibration',
  judgeOnlyIn: '',
  settle: '0',
  maxSignals: '10000',
  saveEvery: '60',
  value: 'payload',
  valueType: 'msg',
  signal: 'topic',
  signalType: 'msg',
  time: '',
  timeType: 'now',
}

/** Seconds of the clock, however fast the plant is. */
const WAIT = {
  type: 'delay',
  name: 'states come first',
  pauseType: 'delay',
  timeout: '5',
  timeoutUnits: 'seconds',
  rate: '1',
  nbRateUnits: '1',
  rateUnits: 'second',
  randomFirst: '1',
  randomLast: '5',
  randomUnits: 'seconds',
  drop: false,
  allowrate: false,
  outputs: 1,
}

const HISTORIAN = {
  type: 'takt-historian',
  // no InfluxDB here: the store keeps the recent past
  influxdb: '',
  value: 'payload',
  valueType: 'msg',
  signal: 'topic',
  signalType: 'msg',
  time: '',
  timeType: 'now',
  batchRows: '',
  batchMs: '',
  spoolMb: '',
  context: 'no',
  asked: '',
  span: '4h',
  aggregate: 'none',
  limit: '240',
  format: 'series',
}

/** Tab 2: from values to states, counts, anomalies, and what to do about them. */
export function addDetect(flow: FlowBuilder, { plant, store }: Shared): void {
  flow.tab(
    '2 Detect',
    'What the values mean: which state a machine is in, how many parts it has made, and whether it behaves as it should. A machine that goes bad becomes a disruption: a repair in the best gap.',
  )

  flow.group('States and counts')
  flow.node('samples in detect', { type: 'link in', name: 'samples' }, [0, 0])
  flow.node('machine state', { type: 'takt-machine-state', name: 'states and counts', plant, store, staleAfter: '' }, [1, 0])
  flow.node('states out', { type: 'link out', name: 'machine states', mode: 'link' }, [2, 0])
  flow.node('counts out', { type: 'link out', name: 'counts', mode: 'link' }, [2, 1])
  flow.wire('samples in detect', 'machine state')
  flow.wire('machine state', 'states out')
  flow.wire('machine state:1', 'counts out')

  flow.group('Is it going bad?')
  flow.comment('Learns what is normal for each machine and product; an idle machine sounds otherwise, so only a running one is judged', [0, 0])
  flow.comment('States are recorded before they are told, vibrations are not: those wait, so that no machine is judged that has stopped already', [0, 1])
  flow.node('samples in anomaly', { type: 'link in', name: 'samples' }, [0, 2])
  flow.node('states in anomaly', { type: 'link in', name: 'machine states' }, [0, 3])
  flow.node('wait', WAIT, [1, 2])
  flow.node('anomaly', { ...ANOMALY, plant, store }, [2, 3])
  flow.node('waited out', { type: 'link out', name: 'samples that waited', mode: 'link' }, [2, 2])
  flow.node('anomalies out', { type: 'link out', name: 'anomalies', mode: 'link' }, [3, 2])
  flow.node('bands out', { type: 'link out', name: 'samples with band', mode: 'link' }, [3, 3])
  flow.node('anomalies debug', quietDebug('anomalies raised and cleared'), [3, 4])
  flow.wire('samples in anomaly', 'wait')
  flow.wire('wait', 'anomaly', 'waited out')
  flow.wire('states in anomaly', 'anomaly')
  flow.wire('anomaly', 'anomalies out', 'anomalies debug')
  flow.wire('anomaly:1', 'bands out')

  flow.group('Do its signals still go together?')
  flow.comment('Vibration, temperature and load of one mill, judged together; it learns for eight hours of running before it says anything', [0, 0])
  flow.node('samples in group', { type: 'link in', name: 'samples that waited' }, [0, 1])
  flow.node('states in group', { type: 'link in', name: 'machine states' }, [0, 2])
  flow.node('group', { ...GROUP, plant, store }, [1, 1])
  flow.node('group out', { type: 'link out', name: 'anomalies', mode: 'link' }, [2, 1])
  flow.node('rows debug', quietDebug('score, and which signal is guilty'), [2, 2])
  flow.wire('samples in group', 'group')
  flow.wire('states in group', 'group')
  flow.wire('group', 'group out')
  flow.wire('group:1', 'rows debug')

  flow.group('How long will it last?')
  flow.comment('Where the vibration rises for good, when it will reach its alarm limit, with an earliest and a latest end', [0, 0])
  flow.node('samples in prognosis', { type: 'link in', name: 'samples that waited' }, [0, 1])
  flow.node('states in prognosis', { type: 'link in', name: 'machine states' }, [0, 2])
  flow.node('prognosis', { ...PROGNOSIS, plant, store }, [1, 1])
  flow.node('prognoses out', { type: 'link out', name: 'prognoses', mode: 'link' }, [2, 1])
  flow.node('prognoses debug', quietDebug('prognoses'), [2, 2])
  flow.wire('samples in prognosis', 'prognosis')
  flow.wire('states in prognosis', 'prognosis')
  flow.wire('prognosis', 'prognoses out', 'prognoses debug')

  flow.group('What it was before')
  flow.comment('Kept in the store; choose an InfluxDB on both nodes to keep it for years', [0, 0])
  flow.node('keep', { ...HISTORIAN, name: 'keep what is watched', mode: 'write', plant, store }, [1, 1])
  flow.node('past asked in', { type: 'link in', name: 'the past is asked for' }, [0, 2])
  flow.node('past', { ...HISTORIAN, name: 'the past of a signal', mode: 'query', plant, store }, [1, 2])
  flow.node('past out', { type: 'link out', name: 'the past', mode: 'link' }, [2, 2])
  flow.wire('anomaly:1', 'keep')
  flow.wire('past asked in', 'past')
  flow.wire('past', 'past out')

  flow.group('What to do about it')
  flow.comment('Plans a repair before the deadline, where it hurts least; what a person has decided comes from the dashboard', [0, 0])
  flow.node('anomalies in', { type: 'link in', name: 'anomalies, prognoses' }, [0, 1])
  flow.node('states in disruption', { type: 'link in', name: 'machine states' }, [0, 2])
  flow.node('pressed in detect', { type: 'link in', name: 'what people press' }, [0, 3])
  flow.node(
    'people switch',
    {
      type: 'switch',
      name: 'answer, autonomy, or a word on an alarm',
      property: 'topic',
      propertyType: 'msg',
      rules: ['answer', 'autonomy', 'confirm', 'refuse'].map((v) => ({ t: 'eq', v, vt: 'str' })),
      checkall: 'false',
      repair: false,
    },
    [1, 3],
  )
  flow.node(
    'disruption',
    {
      type: 'takt-disruption',
      name: 'repair in the best gap',
      plant,
      store,
      autonomy: 'auto',
      minSeverity: 'low',
      minScore: 0.5,
      persistMs: 2 * MINUTE_MS,
      // machines of this plant wear out within hours: on yours, give yourself more time
      deadlineMs: { low: 35 * MINUTE_MS, medium: 25 * MINUTE_MS, high: 15 * MINUTE_MS },
      prognosisShare: 0.8,
      falseAlarmBudget: 3,
      cooldownMs: 30 * MINUTE_MS,
    },
    [2, 1],
  )
  flow.node('requests debug', quietDebug('disruptions'), [3, 1])
  flow.node('proposals debug', quietDebug('proposals'), [3, 2])
  flow.wire('anomalies in', 'disruption')
  flow.wire('states in disruption', 'disruption')
  flow.wire('pressed in detect', 'people switch')
  flow.wire('people switch:0', 'disruption')
  flow.wire('people switch:1', 'disruption')
  // any anomaly node keeps what people say of any alarm in its store
  flow.wire('people switch:2', 'anomaly')
  flow.wire('people switch:3', 'anomaly')
  flow.wire('disruption', 'requests debug')
  flow.wire('disruption:1', 'proposals debug')

  addCatch(flow, 'detect')
}
