import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FlowBuilder } from './builder.ts'
import { bodyOf, functionNode } from './functions.ts'

const folder = join(import.meta.dirname, 'dashboard')

/** A panel's source, with the methods that all panels share put in. */
function panel(name: string): string {
  const shared = bodyOf(join(folder, 'shared.js')).replace(/^(?=.)/gm, '    ')
  return readFileSync(join(folder, `${name}.html`), 'utf8').replace('    /* shared */', shared)
}

const SIZES = { density: 'compact', pagePadding: '12px', groupGap: '10px', groupBorderRadius: '8px', widgetGap: '8px' }

/** The page: one group a panel, on twelve columns. */
export function addDashboard(flow: FlowBuilder): void {
  const ui = flow.config('ui base', {
    type: 'ui-base',
    name: 'Takt',
    path: '/dashboard',
    appIcon: '',
    includeClientData: true,
    acceptsClientConfig: ['ui-notification', 'ui-control', 'ui-template'],
    showPathInSidebar: false,
    headerContent: 'page',
    navigationStyle: 'none',
    titleBarStyle: 'hidden',
    showReconnectNotification: true,
    notificationDisplayTime: 5,
    showDisconnectNotification: true,
    allowInstall: false,
  })
  const dark = flow.config('ui theme dark', {
    type: 'ui-theme',
    name: 'Takt dark',
    colors: { surface: '#1b222b', primary: '#6cb2ff', bgPage: '#12171d', groupBg: '#1b222b', groupOutline: '#2a333e' },
    sizes: SIZES,
  })
  flow.config('ui theme light', {
    type: 'ui-theme',
    name: 'Takt light',
    colors: { surface: '#ffffff', primary: '#1f6fbf', bgPage: '#eef1f4', groupBg: '#ffffff', groupOutline: '#d8dee5' },
    sizes: SIZES,
  })
  const page = flow.config('ui page', {
    type: 'ui-page',
    name: 'Line 1',
    ui,
    path: '/line',
    icon: 'factory',
    layout: 'grid',
    theme: dark,
    breakpoints: [
      { name: 'Default', px: '0', cols: '3' },
      { name: 'Tablet', px: '576', cols: '6' },
      { name: 'Small Desktop', px: '768', cols: '12' },
      { name: 'Desktop', px: '1024', cols: '12' },
    ],
    order: 1,
    className: '',
    visible: true,
    disabled: false,
  })
  const group = (name: string, width: number, order: number): string =>
    flow.config(`ui group ${name}`, {
      type: 'ui-group',
      name,
      page,
      width: String(width),
      height: '1',
      order,
      showTitle: false,
      className: `tk-group-${order}`,
      visible: 'true',
      disabled: 'false',
      groupType: 'default',
    })
  const template = (name: string, file: string, width: number, order: number): Parameters<FlowBuilder['node']>[1] => ({
    type: 'ui-template',
    name,
    group: group(name, width, order),
    page: '',
    ui: '',
    order: 1,
    width: 0,
    height: 0,
    head: '',
    format: panel(file),
    storeOutMessages: false,
    passthru: false,
    resendOnRefresh: true,
    templateScope: 'local',
    className: '',
  })

  flow.tab('5 Dashboard', 'The page at /dashboard: panels of Dashboard 2.0, fed by one overview a second. Take a panel out or add your own: each is one node.')
  flow.group('What the page shows')
  flow.comment('Every second one overview of the plant is cut into what each panel draws', [0, 0])
  flow.node('overview in', { type: 'link in', name: 'overview' }, [0, 3])
  flow.node('panels', functionNode('panels', 'cut into panels', 8), [1, 3])
  flow.node('panel header', template('Header', 'header', 12, 1), [2, 1])
  flow.node('panel units', template('Machines', 'units', 12, 2), [2, 2])
  flow.node('panel gantt', template('Plan', 'gantt', 9, 3), [2, 3])
  flow.node('panel why', template('What happens, and why', 'why', 3, 4), [2, 4])
  flow.node('panel orders', template('Orders', 'orders', 5, 6), [2, 5])
  flow.node('panel simulator', template('Try it', 'simulator', 2, 7), [2, 6])
  flow.node('panel scorecard', template('How good the alarms are', 'scorecard', 12, 9), [2, 7])
  flow.node('panel whatif', template('What if', 'whatif', 12, 8), [2, 8])
  flow.node('what-ifs in', { type: 'link in', name: 'what-ifs' }, [0, 8])
  flow.node('what-if shown', functionNode('what-if-shown', 'for who asked'), [1, 8])
  flow.wire('what-ifs in', 'what-if shown')
  flow.wire('what-if shown', 'panel whatif')
  flow.node('pressed out', { type: 'link out', name: 'what people press', mode: 'link' }, [3, 1])
  flow.node('pressed in dashboard', { type: 'link in', name: 'what people press' }, [0, 4])
  flow.wire('overview in', 'panels')
  flow.wire('pressed in dashboard', 'panels')
  flow.wire('panel header', 'pressed out')
  flow.wire('panel why', 'pressed out')
  flow.wire('panel simulator', 'pressed out')
  flow.wire('panel whatif', 'pressed out')
  for (const [port, name] of ['header', 'units', 'gantt', 'why', 'orders', 'simulator', 'scorecard', 'whatif'].entries())
    flow.wire(`panels:${port}`, `panel ${name}`)

  flow.node(
    'dashboard style',
    {
      type: 'ui-template',
      name: 'colours and common style',
      group: '',
      page: '',
      ui,
      order: 1,
      width: 0,
      height: 0,
      head: '',
      format: readFileSync(join(folder, 'style.css'), 'utf8'),
      storeOutMessages: false,
      passthru: false,
      resendOnRefresh: false,
      templateScope: 'site:style',
      className: '',
    },
    [0, 6],
  )

  flow.group('The trend of a signal and the band in which it is expected')
  flow.node('trend in', { type: 'link in', name: 'samples with band' }, [0, 0])
  flow.node(
    'trend tick',
    { type: 'inject', name: 'every second', props: [{ p: 'topic', vt: 'str' }], repeat: '1', crontab: '', once: true, onceDelay: 1, topic: 'tick' },
    [0, 1],
  )
  flow.node('trend', functionNode('trend', 'keep the last points', 2), [1, 0])
  flow.node('past asked', { type: 'link out', name: 'the past is asked for', mode: 'link' }, [2, 1])
  flow.node('past in dashboard', { type: 'link in', name: 'the past' }, [0, 2])
  flow.node('panel trend', template('Condition', 'trend', 5, 5), [2, 0])
  flow.wire('trend in', 'trend')
  flow.wire('trend tick', 'trend')
  flow.wire('trend', 'panel trend')
  flow.wire('trend:1', 'past asked')
  flow.wire('past in dashboard', 'trend')
  flow.wire('panel trend', 'trend')
}
