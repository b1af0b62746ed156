import type { WhatIf } from '../../../core/messages/what-if.ts'
import type { Lamp, Overview, OverviewAnomaly, OverviewBar, OverviewOrder, OverviewUnit } from '../../../core/report/overview.ts'

/**
 * A plant at one moment, for tests of the dashboard: a worn mill that is to be repaired, whose work has moved, a late order and a held lot.
 * Only dashboards are tested with it; what Takt computes is tested where it is computed.
 */

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const LINE = 'acme/berlin/machining/line-1'
const CLASSES = {
  'saw-1': 'saw',
  'saw-2': 'saw',
  'lathe-1': 'lathe',
  'lathe-2': 'lathe',
  'mill-1': 'mill',
  'mill-2': 'mill',
  'mill-3': 'mill',
  'grinder-1': 'grinder',
  'wash-1': 'wash',
}
type Unit = keyof typeof CLASSES
const UNITS = Object.keys(CLASSES) as Unit[]
const ROUTES: Record<string, readonly (readonly [string, string, number])[]> = {
  'Shaft A': [
    ['10-saw', 'saw', 35],
    ['20-turn', 'lathe', 80],
    ['30-mill', 'mill', 70],
    ['40-grind', 'grinder', 45],
    ['50-wash', 'wash', 15],
  ],
  'Flange B': [
    ['10-saw', 'saw', 25],
    ['20-turn', 'lathe', 60],
    ['30-mill', 'mill', 95],
    ['40-wash', 'wash', 15],
  ],
  'Plate C': [
    ['10-saw', 'saw', 30],
    ['20-mill', 'mill', 110],
    ['30-grind', 'grinder', 60],
    ['40-wash', 'wash', 20],
  ],
}

/** Schedules eighteen orders one after the other, each operation on the unit of its class that is free first. */
function bars(now: number): OverviewBar[] {
  const free = new Map<Unit, number>(UNITS.map((unit, index) => [unit, now - 150 * MINUTE + (index % 3) * 12 * MINUTE]))
  const made: OverviewBar[] = []
  const repair = { start: now + 55 * MINUTE, end: now + 115 * MINUTE }
  for (let order = 0; order < 18; order++) {
    const product = Object.keys(ROUTES)[order % 3] ?? ''
    let ready = now - 150 * MINUTE
    for (const [operation, kind, minutes] of ROUTES[product] ?? []) {
      const unit = UNITS.filter((name) => CLASSES[name] === kind).sort((a, b) => (free.get(a) ?? 0) - (free.get(b) ?? 0))[0] ?? 'saw-1'
      let start = Math.max(ready, free.get(unit) ?? 0)
      const length = (minutes + ((order * 7) % 5) * 4) * MINUTE
      if (unit === 'mill-2' && start + length > repair.start && start < repair.end) start = repair.end
      const end = start + length
      free.set(unit, end)
      ready = end
      const moved = kind === 'mill' && start > now && start < now + 4 * HOUR && unit !== 'mill-2'
      made.push({
        jobOrder: `jo-${118 + order}-${operation.slice(0, 2)}`,
        workOrder: `wo-${118 + order}`,
        operation,
        product,
        equipment: `${LINE}/${unit}`,
        unit,
        start,
        end,
        setupMs: 12 * MINUTE,
        status: end <= now ? 'done' : start <= now ? 'running' : 'planned',
        maintenance: false,
        late: order === 7,
        moved,
      })
    }
  }
  made.push({
    jobOrder: 'jo-mo-12',
    workOrder: 'mo-12',
    operation: 'maintenance',
    product: 'maintenance',
    equipment: `${LINE}/mill-2`,
    unit: 'mill-2',
    ...repair,
    setupMs: 0,
    status: 'planned',
    maintenance: true,
    late: false,
    moved: false,
  })
  return made
}

/** What the scheduler would answer if mill-1 were down for four hours: its next job goes to mill-3, and wo-122 becomes late. */
export function sampleWhatIf(now: number): WhatIf {
  const assignments = bars(now)
    .filter(({ status }) => status !== 'done')
    .map(({ jobOrder, workOrder, equipment, start, end, setupMs, status, maintenance }) => ({
      jobOrder,
      workOrder,
      equipment,
      start,
      end,
      setupMs,
      frozen: status === 'running',
      ...(maintenance ? { maintenance } : {}),
    }))
  const first = assignments.find(({ equipment, frozen }) => equipment === `${LINE}/mill-1` && !frozen)
  if (first === undefined) throw new Error('the sample plan has nothing to come on mill-1')
  const to = { equipment: `${LINE}/mill-3`, start: first.start + 2 * HOUR }
  const wo125 = { workOrder: 'wo-125', lateMs: 38 * MINUTE }
  const side = { unplanned: [], setups: 11, problems: [], makespanMs: 14 * HOUR }
  return {
    kind: 'what-if',
    id: 'wi-1',
    now,
    changes: [{ unitDown: { equipment: `${LINE}/mill-1`, from: now, to: now + 4 * HOUR } }],
    what: ['mill-1 takes no work from now to 14:12'],
    text: 'wo-122 becomes late: 25 min more weighted lateness than as it is. 1 job order would move.',
    effect: { becomesLate: ['wo-122'], saved: [], weightedTardinessMs: 25 * MINUTE },
    asIs: { ...side, late: [wo125], tardinessMs: 38 * MINUTE, weightedTardinessMs: 38 * MINUTE, assignments },
    whatIf: {
      ...side,
      late: [wo125, { workOrder: 'wo-122', lateMs: 25 * MINUTE }],
      tardinessMs: 63 * MINUTE,
      weightedTardinessMs: 63 * MINUTE,
      assignments: assignments.map((row) => (row === first ? { ...row, ...to, end: to.start + row.end - row.start } : row)),
    },
    moved: [{ jobOrder: first.jobOrder, workOrder: first.workOrder, from: { equipment: first.equipment, start: first.start }, to }],
  }
}

export function sampleOverview(now: number): Overview {
  const plan = bars(now)
  const anomaly: OverviewAnomaly = {
    id: 'an-5821',
    equipment: `${LINE}/mill-2`,
    unit: 'mill-2',
    signals: ['spindle.vibration'],
    severity: 'high',
    score: 0.97,
    since: now - 14 * MINUTE,
    text: 'spindle.vibration 5.9 mm/s against 2.2–4.0 expected',
  }
  const lamps: Partial<Record<Unit, [Lamp, OverviewUnit['state']]>> = {
    'lathe-2': ['setup', 'Starting'],
    'wash-1': ['waiting', 'Idle'],
    'saw-2': ['down', 'Aborted'],
  }
  const units = UNITS.map((name, index): OverviewUnit => {
    const own = plan.filter((bar) => bar.unit === name)
    const running = own.find((bar) => bar.status === 'running')
    const next = own.filter((bar) => bar.status === 'planned').sort((a, b) => a.start - b.start)[0]
    const [lamp, state] = lamps[name] ?? (running === undefined ? ['idle', 'Idle'] : ['running', 'Execute'])
    const progress = running === undefined ? null : (now - running.start) / (running.end - running.start)
    return {
      id: `${LINE}/${name}`,
      name,
      class: CLASSES[name],
      state,
      mode: 'Produce',
      element: lamp === 'running' ? 'APT' : 'ADOT',
      lamp,
      since: now - (index + 2) * 7 * MINUTE,
      reason: lamp === 'down' ? 'Blade broken' : null,
      jobOrder: running?.jobOrder ?? null,
      workOrder: running?.workOrder ?? null,
      product: running?.product ?? null,
      operation: running?.operation ?? null,
      quantity: running === undefined ? null : 40,
      good: Math.floor((progress ?? 0) * 38),
      scrap: index % 4 === 1 ? 1 : 0,
      progress,
      service: name === 'lathe-2' ? 'trial' : null,
      alarm: name === 'mill-2' ? anomaly : null,
      next:
        next === undefined
          ? null
          : { jobOrder: next.jobOrder, workOrder: next.workOrder, product: next.product, start: next.start, maintenance: next.maintenance },
    }
  })
  const orders = Array.from({ length: 12 }, (_, index): OverviewOrder => {
    const id = `wo-${118 + index}`
    const own = plan.filter((bar) => bar.workOrder === id)
    const end = Math.max(...own.map((bar) => bar.end))
    const done = own.filter((bar) => bar.status === 'done').length
    const onTime = index === 7 ? 0.02 : index === 6 ? 0.66 : index === 8 ? 0.31 : 0.97 - index / 100
    const lateMs = index === 7 ? 38 * MINUTE : index === 4 ? -9 * MINUTE : -(80 + index * 13) * MINUTE
    return {
      id,
      type: 'production',
      product: own[0]?.product ?? '',
      quantity: 40,
      unit: 'pcs',
      good: index === 0 ? 39 : 0,
      scrap: index % 3,
      progress: Math.min(1, done / own.length + (own.some((bar) => bar.status === 'running') ? 0.1 : 0)),
      state: own.every((bar) => bar.status === 'done') ? 'Completed' : own.some((bar) => bar.status !== 'planned') ? 'Running' : 'Released',
      priority: 5,
      due: end - lateMs,
      expectedEnd: end,
      lateMs,
      late: lateMs > 0,
      outlook: index === 4 || index < 1 ? null : { onTime, p10: end - 10 * MINUTE, p50: end, p90: end + 95 * MINUTE, basis: index === 5 ? 'prior' : 'history' },
      lot: `lot-${id}`,
      disposition: index === 2 ? 'held' : 'in-process',
      reason: index === 2 ? 'diameter 40.07 mm outside 39.95–40.05 mm' : null,
      signatures:
        index === 0
          ? [{ record: `lot lot-${118 + index}`, meaning: 'approved', name: 'Eva Kern', at: '2025-11-25T08:00:00.000+01:00', state: 'signed' as const }]
          : [],
      steps: own.map((bar) => ({
        jobOrder: bar.jobOrder,
        operation: bar.operation,
        unit: bar.unit,
        status: bar.status === 'planned' ? 'waiting' : bar.status,
      })),
    }
  })
  const moved = plan.filter((bar) => bar.moved)
  const kpi = {
    scope: LINE,
    name: 'line',
    oee: 0.61,
    availability: 0.82,
    effectiveness: 0.78,
    qualityRatio: 0.954,
    utilization: 0.7,
    good: 412,
    scrap: 20,
    elements: {},
  }
  return {
    plant: 'Berlin machining',
    timeZone: 'Europe/Berlin',
    now,
    rate: 60,
    ledger: { head: 90211, hash: 'b7f3' },
    units,
    orders,
    totals: { open: 18, running: 6, late: 1, held: 1, finished: 9, good: 412, scrap: 20 },
    plan: {
      version: 32,
      made: now - 3 * MINUTE,
      trigger: 'disruption dis-77',
      tardinessMs: 38 * MINUTE,
      makespanMs: 14 * HOUR,
      setups: 21,
      moved: moved.length,
      doNothingTardinessMs: 5 * HOUR,
      effect: 'wo-125 becomes late: 38 min more weighted lateness than plan 31. Doing nothing would cost 4 h 22 min more and make wo-122 late.',
      from: now - 2.5 * HOUR,
      to: now + 15 * HOUR,
      bars: plan,
      closed: UNITS.map((unit) => ({ equipment: `${LINE}/${unit}`, from: now + 7 * HOUR, to: now + 9 * HOUR })),
      changes: moved.map((bar) => ({
        jobOrder: bar.jobOrder,
        text: `${bar.workOrder} ${bar.operation} from mill-2 to ${bar.unit}`,
        because: 'dis-77',
        moved: 'unit',
        from: { equipment: `${LINE}/mill-2`, unit: 'mill-2', start: bar.start + 10 * MINUTE, end: bar.end + 10 * MINUTE },
        to: { equipment: bar.equipment, unit: bar.unit, start: bar.start, end: bar.end },
      })),
      problems: [],
    },
    anomalies: [anomaly],
    alarms: [
      { ...anomaly, detector: 'wear', cleared: null, verdict: null },
      {
        id: 'an-70',
        equipment: `${LINE}/saw-1`,
        unit: 'saw-1',
        signals: ['load'],
        severity: 'low',
        score: 0.6,
        since: now - 3 * HOUR,
        text: 'load: 71 % against 48–62 expected',
        detector: 'wear',
        cleared: now - 2.5 * HOUR,
        verdict: { decision: 'refused', by: 'eva' },
      },
    ],
    scorecard: {
      from: now - 7 * 24 * HOUR,
      to: now,
      detectors: [
        {
          id: 'a41c9f0e72b35d68',
          name: 'wear',
          method: 'auto',
          from: now - 7 * 24 * HOUR,
          alarms: 9,
          confirmed: 6,
          refused: 2,
          undecided: 1,
          repaired: 1,
          beforeRepairMs: 31 * MINUTE,
          precision: 0.75,
          stops: 8,
          foreseen: 6,
          recall: 0.75,
          leadMs: 94 * MINUTE,
          falsePerWeek: 2,
        },
        {
          id: 'b52d0a1f83c46e79',
          name: 'mill-1 as a whole',
          method: 'group',
          from: now - 2 * 24 * HOUR,
          alarms: 0,
          confirmed: 0,
          refused: 0,
          undecided: 0,
          repaired: 0,
          beforeRepairMs: null,
          precision: null,
          stops: 0,
          foreseen: 0,
          recall: null,
          leadMs: null,
          falsePerWeek: 0,
        },
      ],
    },
    disruptions: [
      {
        id: 'dis-78',
        equipment: `${LINE}/grinder-1`,
        unit: 'grinder-1',
        action: 'maintain-before',
        status: 'proposed',
        awaiting: true,
        autonomy: 'approve',
        why: 'wheel.temperature 61 °C against 44–52 expected, rising 3 °C an hour',
        deadline: now + 3 * HOUR,
        maintenanceOrder: null,
        decidedBy: null,
        time: now - 2 * MINUTE,
      },
      {
        id: 'dis-77',
        equipment: `${LINE}/mill-2`,
        unit: 'mill-2',
        action: 'maintain-before',
        status: 'acted',
        awaiting: false,
        autonomy: 'auto',
        why: 'spindle.vibration 5.9 mm/s against 2.2–4.0 expected',
        deadline: now + 4 * HOUR,
        maintenanceOrder: 'mo-12',
        decidedBy: 'auto',
        time: now - 5 * MINUTE,
      },
    ],
    kpis: {
      shift: 'early',
      from: now - 5 * HOUR,
      to: now,
      line: kpi,
      units: UNITS.map((name, index) => ({ ...kpi, scope: `${LINE}/${name}`, name, oee: 0.5 + ((index * 13) % 40) / 100 })),
    },
    quality: {
      holds: [
        {
          lot: 'lot-wo-120',
          workOrder: 'wo-120',
          product: 'Plate C',
          reason: 'diameter 40.07 mm outside 39.95–40.05 mm',
          since: now - 20 * MINUTE,
          rework: 'rw-3',
        },
      ],
      results: Array.from({ length: 8 }, (_, index) => ({
        id: `qr-${index}`,
        lot: `lot-wo-${118 + index}`,
        jobOrder: `jo-${118 + index}-30`,
        unit: 'mill-1',
        characteristic: 'diameter',
        value: `${(40 + (index === 2 ? 0.07 : index / 200)).toFixed(2)} mm`,
        limits: '39.95–40.05 mm',
        decision: index === 2 ? 'hold' : 'pass',
        time: now - index * 6 * MINUTE,
      })),
    },
    events: [
      { sequence: 90211, time: now - 1 * MINUTE, type: 'job-order.running', text: 'wo-124 10-saw runs on saw-1', tone: 'info', actor: 'node:dispatch' },
      {
        sequence: 90207,
        time: now - 3 * MINUTE,
        type: 'plan.published',
        text: `Plan 32 published: ${moved.length} job orders moved because of dis-77`,
        tone: 'info',
        actor: 'node:scheduler',
      },
      {
        sequence: 90204,
        time: now - 4 * MINUTE,
        type: 'work-order.created',
        text: 'Maintenance order mo-12 for mill-2',
        tone: 'warning',
        actor: 'node:disruption',
      },
      {
        sequence: 90201,
        time: now - 14 * MINUTE,
        type: 'anomaly.raised',
        text: 'mill-2: spindle.vibration 5.9 mm/s against 2.2–4.0 expected',
        tone: 'bad',
        actor: 'node:anomaly',
      },
      {
        sequence: 90188,
        time: now - 20 * MINUTE,
        type: 'lot.held',
        text: 'lot-wo-120 held: diameter 40.07 mm outside 39.95–40.05 mm',
        tone: 'warning',
        actor: 'node:quality',
      },
      {
        sequence: 90170,
        time: now - 31 * MINUTE,
        type: 'work-order.completed',
        text: 'wo-117 completed: 40 good, 1 scrap, 22 min early',
        tone: 'good',
        actor: 'node:work-order',
      },
    ],
  }
}
