import type { FlowBuilder } from './builder.ts'
import { addCatch, quietDebug, type Shared } from './settings.ts'

/** Tab 4: measurements against specification, and what is reported. */
export function addQuality(flow: FlowBuilder, { plant, store }: Shared): void {
  flow.tab(
    '4 Quality & reports',
    'Every measurement is held against its specification; a lot with a part outside is held and its rework ordered. Reports are made of the records: by shift, by order, and once a second for the dashboard.',
  )

  flow.group('Quality gate')
  flow.node('samples in quality', { type: 'link in', name: 'samples' }, [0, 0])
  flow.node('quality gate', { type: 'takt-quality-gate', name: 'gate', plant, store, rejectBeyond: '', rework: true, holdOnAnomaly: false }, [1, 0])
  flow.node('passed debug', quietDebug('passed'), [2, 0])
  flow.node('held debug', quietDebug('held'), [2, 1])
  flow.node('rejected debug', quietDebug('rejected'), [2, 2])
  flow.wire('samples in quality', 'quality gate')
  for (const [port, name] of ['passed', 'held', 'rejected'].entries()) flow.wire(`quality gate:${port}`, `${name} debug`)

  flow.group('For the dashboard', { beside: true })
  flow.node(
    'overview tick',
    {
      type: 'inject',
      name: 'every second',
      props: [{ p: 'payload' }],
      repeat: '1',
      crontab: '',
      once: true,
      onceDelay: 1,
      topic: '',
      payload: '',
      payloadType: 'date',
    },
    [0, 0],
  )
  flow.node('overview report', { type: 'takt-report', name: 'overview', plant, store, report: 'overview' }, [1, 0])
  flow.node('overview out', { type: 'link out', name: 'overview', mode: 'link' }, [2, 0])
  flow.wire('overview tick', 'overview report')
  flow.wire('overview report', 'overview out')

  addCatch(flow, 'quality')
}
