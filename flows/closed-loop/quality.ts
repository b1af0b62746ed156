import type { FlowBuilder } from './builder.ts'
import { functionNode } from './functions.ts'
import { addCatch, quietDebug, type Shared } from './settings.ts'

/** Tab 4: measurements against specification, and what is reported. */
export function addQuality(flow: FlowBuilder, { plant, store }: Shared): void {
  const report = { type: 'takt-report', plant, store, subject: '', span: 'current-shift', format: 'html', output: 'message', folder: 'takt/reports' }
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

  flow.group('The plant at this moment, for the dashboard', { beside: true })
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
  flow.node('overview report', { ...report, name: 'overview', reportType: 'overview', format: 'json' }, [1, 0])
  flow.node('overview out', { type: 'link out', name: 'overview', mode: 'link' }, [2, 0])
  flow.wire('overview tick', 'overview report')
  flow.wire('overview report', 'overview out')

  flow.group('Reports as files, in takt/reports of the user directory')
  flow.node('completed', { type: 'takt-event', name: 'work order completed', store, types: 'work-order.completed', from: 'last' }, [0, 0])
  flow.node(
    'production only',
    {
      type: 'switch',
      name: 'production',
      property: 'payload.type',
      propertyType: 'msg',
      rules: [{ t: 'eq', v: 'production', vt: 'str' }],
      checkall: 'true',
      repair: false,
    },
    [1, 0],
  )
  flow.node('order report', { ...report, name: 'order report', reportType: 'work-order', output: 'file' }, [2, 0])
  flow.node('overview in reports', { type: 'link in', name: 'overview' }, [0, 1])
  flow.node('shift ended', functionNode('shift-ended', 'a shift has ended'), [1, 1])
  flow.node('shift report', { ...report, name: 'shift report', reportType: 'shift', span: 'last-shift', output: 'file' }, [2, 1])
  flow.node('files debug', quietDebug('written'), [3, 0])
  flow.wire('completed', 'production only')
  flow.wire('production only', 'order report')
  flow.wire('overview in reports', 'shift ended')
  flow.wire('shift ended', 'shift report')
  flow.wire('order report', 'files debug')
  flow.wire('shift report', 'files debug')

  flow.group('Reports in the browser: /reports/shift.html, /reports/<order>.html, also .csv and .json')
  flow.node('report in', { type: 'http in', name: '/reports/:name', url: '/reports/:name', method: 'get', upload: false, swaggerDoc: '' }, [0, 0])
  flow.node('report asked', functionNode('report-asked', 'what is asked for', 2), [1, 0])
  flow.node('report page', { ...report, name: 'the report', reportType: 'shift' }, [2, 0])
  flow.node('report text', functionNode('report-page', 'as a page'), [3, 0])
  flow.node('report out', { type: 'http response', name: '', statusCode: '', headers: {} }, [4, 0])
  flow.node('report catch', { type: 'catch', name: 'no such report', scope: [flow.idOfNode('report page')], uncaught: false }, [2, 1])
  flow.node('report refused', functionNode('report-refused', 'say why'), [3, 1])
  flow.wire('report in', 'report asked')
  flow.wire('report asked', 'report page')
  flow.wire('report asked:1', 'report out')
  flow.wire('report page', 'report text')
  flow.wire('report text', 'report out')
  flow.wire('report catch', 'report refused')
  flow.wire('report refused', 'report out')

  addCatch(flow, 'quality')
}
