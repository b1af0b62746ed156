import type { FlowBuilder } from './builder.ts'
import { addCatch, OPCUA_PORT, type Shared } from './settings.ts'

/** Tab 1: values in, commands out, and the simulated plant in the place of yours. */
export function addMachines(flow: FlowBuilder, { plant, store, broker, endpoint }: Shared): void {
  flow.tab(
    '1 Machines',
    'Where Takt meets the machines. Half of the units of line 1 speak OPC UA, half MQTT; which signal comes from where stands in the plant model, not in the flow. With machines of your own, delete the simulator and correct the plant model: nothing else on the tabs changes.',
  )

  flow.group('The plant: simulated here, yours later')
  flow.comment('A machining line that wears, fails, makes parts and gets orders, at 60 times the speed of the clock', [0, 0])
  flow.node('pressed in', { type: 'link in', name: 'what people press' }, [0, 1])
  flow.node(
    'simulator switch',
    {
      type: 'switch',
      name: 'for the plant',
      property: 'topic',
      propertyType: 'msg',
      rules: ['speed', 'break', 'fail'].map((v) => ({ t: 'eq', v, vt: 'str' })),
      checkall: 'false',
      repair: false,
    },
    [1, 1],
  )
  flow.node(
    'simulator',
    {
      type: 'takt-simulator',
      name: 'line 1',
      plant,
      broker,
      opcuaPort: OPCUA_PORT,
      speed: '60',
      start: '2026-03-02T06:00',
      seed: '11',
      wornUnit: 'lathe-2',
      wornAt: '0.7',
      orders: '2',
      ordersAhead: '20',
    },
    [2, 1],
  )
  flow.node('orders out', { type: 'link out', name: 'orders', mode: 'link' }, [3, 1])
  flow.wire('pressed in', 'simulator switch')
  for (const port of [0, 1, 2]) flow.wire(`simulator switch:${port}`, 'simulator')
  flow.wire('simulator', 'orders out')

  flow.group('What the machines say')
  flow.node(
    'mqtt sensor',
    {
      type: 'takt-mqtt-sensor',
      name: 'all MQTT signals',
      plant,
      broker,
      store,
      mode: 'bindings',
      topic: '',
      template: '',
      target: '',
      value: '',
      time: '',
      qos: '1',
      maxKb: '',
      maxFutureSeconds: '',
      maxAgeDays: '',
    },
    [0, 0],
  )
  flow.node(
    'opcua sensor',
    {
      type: 'takt-opcua-sensor',
      name: 'all OPC UA signals',
      plant,
      endpoint,
      store,
      mode: 'bindings',
      items: [],
      publishing: '',
      sampling: '',
      queueSize: '',
      discardOldest: true,
      maxFutureSeconds: '',
      maxAgeDays: '',
    },
    [0, 1],
  )
  flow.node('samples out', { type: 'link out', name: 'samples', mode: 'link' }, [1, 0])
  flow.wire('mqtt sensor', 'samples out')
  flow.wire('opcua sensor', 'samples out')

  flow.group('What the machines are told', { beside: true })
  flow.node('commands in', { type: 'link in', name: 'commands' }, [0, 0])
  flow.node('machine command', { type: 'takt-machine-command', name: 'tell the machine', plant, store, autonomy: 'auto', allowed: '', timeout: '10' }, [1, 0])
  flow.node('receipts out', { type: 'link out', name: 'receipts', mode: 'link' }, [2, 0])
  flow.wire('commands in', 'machine command')
  flow.wire('machine command', 'receipts out')

  addCatch(flow, 'machines')
}
