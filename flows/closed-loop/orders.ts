import type { FlowBuilder } from './builder.ts'
import { addCatch, quietDebug, type Shared } from './settings.ts'

/** Tab 3: orders, the plan, and who works on what next. */
export function addOrders(flow: FlowBuilder, { plant, store }: Shared): void {
  flow.tab(
    '3 Orders & plan',
    'Orders come in, are released into job orders, planned over all machines, dispatched, and followed by what the machines say. Whatever changes, the plan is made anew in a moment and tells what it moved and why.',
  )

  flow.group('Work orders')
  flow.node('orders in', { type: 'link in', name: 'orders' }, [0, 0])
  flow.node('states in', { type: 'link in', name: 'machine states' }, [0, 1])
  flow.node('counts in', { type: 'link in', name: 'counts' }, [0, 2])
  flow.node('work order', { type: 'takt-work-order', name: 'orders', plant, store, autoRelease: true, mapping: '{}', importFolder: '' }, [1, 0])
  flow.node('changes debug', quietDebug('order changes'), [2, 0])
  flow.node('refusals debug', { ...quietDebug('refusals'), active: true }, [2, 1])
  flow.wire('orders in', 'work order')
  flow.wire('states in', 'work order')
  flow.wire('counts in', 'work order')
  flow.wire('work order', 'changes debug')
  flow.wire('work order:1', 'refusals debug')

  flow.group('The plan')
  flow.comment('Planned anew whenever the records say that something has changed; a what-if changes nothing before a person adopts it', [0, 0])
  flow.node('pressed in plan', { type: 'link in', name: 'what people press' }, [0, 1])
  flow.node(
    'plan switch',
    {
      type: 'switch',
      name: 'what-if or adopt',
      property: 'topic',
      propertyType: 'msg',
      rules: ['what-if', 'adopt'].map((v) => ({ t: 'eq', v, vt: 'str' })),
      checkall: 'false',
      repair: false,
    },
    [1, 1],
  )
  flow.node(
    'scheduler',
    {
      type: 'takt-scheduler',
      name: 'plan',
      plant,
      store,
      objective: 'due-dates',
      autonomy: 'auto',
      watch: true,
      resumable: true,
      searchMs: 600,
      debounceMs: 300,
      toleranceMs: 300000,
      seed: 1,
    },
    [2, 1],
  )
  flow.node('plan debug', quietDebug('plans'), [3, 1])
  flow.node('problems debug', quietDebug('planning problems'), [3, 2])
  flow.node('what-if refused', { type: 'catch', name: 'what is refused', scope: [flow.idOfNode('scheduler')], uncaught: false }, [2, 3])
  flow.node('what-ifs out', { type: 'link out', name: 'what-ifs', mode: 'link' }, [3, 3])
  flow.wire('pressed in plan', 'plan switch')
  for (const port of [0, 1]) flow.wire(`plan switch:${port}`, 'scheduler')
  flow.wire('scheduler', 'plan debug')
  flow.wire('scheduler:1', 'problems debug', 'what-ifs out')
  flow.wire('what-if refused', 'what-ifs out')

  flow.group('The next job to each machine')
  flow.comment('Told until the machine itself names the job', [0, 0])
  flow.node('states in dispatch', { type: 'link in', name: 'machine states' }, [0, 1])
  flow.node('receipts in', { type: 'link in', name: 'receipts' }, [0, 2])
  flow.node(
    'dispatch',
    { type: 'takt-dispatch', name: 'dispatch', plant, store, autonomy: 'auto', toleranceMs: 300000, ackTimeoutMs: 10000, commands: '{}' },
    [1, 1],
  )
  flow.node('commands out', { type: 'link out', name: 'commands', mode: 'link' }, [2, 1])
  flow.node('dispatch debug', quietDebug('waiting or refused'), [2, 2])
  flow.wire('states in dispatch', 'dispatch')
  flow.wire('receipts in', 'dispatch')
  flow.wire('dispatch', 'commands out')
  flow.wire('dispatch:1', 'dispatch debug')

  addCatch(flow, 'orders')
}
