import type { FlowBuilder } from './builder.ts'
import { addCatch, quietDebug, type Shared } from './settings.ts'

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
  flow.comment('Learns what is normal for each condition signal; needs no limits to be set', [0, 0])
  flow.node('anomaly', { type: 'takt-anomaly', name: 'wear', plant, store }, [1, 1])
  flow.node('anomalies debug', quietDebug('anomalies'), [2, 0])
  flow.node('bands out', { type: 'link out', name: 'samples with band', mode: 'link' }, [2, 2])
  flow.node(
    'disruption',
    {
      type: 'takt-disruption',
      name: 'repair in the best gap',
      plant,
      store,
      autonomy: 'auto',
      minSeverity: 'medium',
      minScore: '0.5',
      persistMs: '300000',
      deadlineMs: { low: '86400000', medium: '28800000', high: '14400000' },
      falseAlarmBudget: '3',
      cooldownMs: '1800000',
    },
    [2, 1],
  )
  flow.node('requests debug', quietDebug('disruptions'), [3, 1])
  flow.node('proposals debug', quietDebug('proposals'), [3, 2])
  flow.wire('samples in detect', 'anomaly')
  flow.wire('anomaly', 'disruption', 'anomalies debug')
  flow.wire('anomaly:1', 'bands out')
  // an idle machine sounds otherwise than a cutting one: only a running one is judged
  flow.wire('machine state', 'anomaly', 'disruption')
  flow.wire('disruption', 'requests debug')
  flow.wire('disruption:1', 'proposals debug')

  flow.group('What people decide')
  flow.node('pressed in detect', { type: 'link in', name: 'what people press' }, [0, 0])
  flow.node(
    'people switch',
    {
      type: 'switch',
      name: 'answer or autonomy',
      property: 'topic',
      propertyType: 'msg',
      rules: ['answer', 'autonomy'].map((v) => ({ t: 'eq', v, vt: 'str' })),
      checkall: 'false',
      repair: false,
    },
    [1, 0],
  )
  flow.wire('pressed in detect', 'people switch')
  flow.wire('people switch:0', 'disruption')
  flow.wire('people switch:1', 'disruption')

  addCatch(flow, 'detect')
}
