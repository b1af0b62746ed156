import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../core/base/package-root.ts'
import { seededRandom } from '../../core/base/random.ts'
import { type FlowNode, NodeRedProcess } from '../../test/e2e/support/node-red-process.ts'

const CLASSES = 8
const UNITS = 40
const ORDERS = 40
const OPERATIONS = 5
const HOUR_MS = 3_600_000
const ALARM_ABOVE = 7
/** Between a plan and the next anomaly: sometimes the plan's outlook is made meanwhile, sometimes a better plan is looked for. */
const PAUSE_MS = { least: 300, most: 2800 }

/** Forty units in eight classes, each with a watched signal; every operation can be done on the five units of a class. */
function plant() {
  return {
    plant: 'bench',
    equipment: Array.from({ length: UNITS }, (_, i) => ({
      id: `bench/u${i}`,
      level: 'workUnit',
      classes: [`c${i % CLASSES}`],
      signals: [{ name: 'vibration', role: 'condition' }],
      maintenance: { planned: { durationMs: HOUR_MS }, unplanned: { durationMs: 3 * HOUR_MS } },
    })),
    materials: [{ id: 'part', unit: 'pcs' }],
    workMasters: Array.from({ length: CLASSES }, (_, m) => ({
      id: `m${m}`,
      version: 1,
      produces: 'part',
      operations: Array.from({ length: OPERATIONS }, (_, o) => ({
        id: String(10 * (o + 1)),
        ...(o === 0 ? {} : { after: [String(10 * o)] }),
        setupFamily: `f${m}`,
        alternatives: [{ class: `c${(m + o) % CLASSES}`, setupMs: 300_000 + 60_000 * m, perPieceMs: 60_000 + 7_000 * ((m * 5 + o * 3) % 9) }],
      })),
    })),
  }
}

/** What a plant has: anomaly → disruption, work orders, scheduler, all over a store in a file, all as set by default but for what makes an anomaly ask for a repair at once. */
function flow(): FlowNode[] {
  const parts = { z: 'f', plant: 'p', store: 's' }
  return [
    { id: 'f', type: 'tab', label: 'bench' },
    { id: 'p', type: 'takt-plant', name: 'bench', source: 'inline', model: JSON.stringify(plant()), clock: 'system' },
    { id: 's', type: 'takt-store', name: 'bench', file: '', plant: 'p' },
    { id: 'in-orders', z: 'f', type: 'bench-stopwatch', name: 'orders', wires: [['wo']] },
    { id: 'wo', ...parts, type: 'takt-work-order', autoRelease: true, mapping: '', importFolder: '', wires: [[], []] },
    { id: 'in-samples', z: 'f', type: 'bench-stopwatch', name: 'samples', wires: [['a']] },
    { id: 'a', ...parts, type: 'takt-anomaly', method: 'limits', high: String(ALARM_ABOVE), wires: [['out-anomalies', 'd'], []] },
    { id: 'out-anomalies', z: 'f', type: 'bench-stopwatch', name: 'anomaly', wires: [[]] },
    {
      id: 'd',
      ...parts,
      type: 'takt-disruption',
      autonomy: 'auto',
      minSeverity: 'low',
      minScore: '0',
      persistMs: '0',
      deadlineMs: { low: 4 * HOUR_MS, medium: 4 * HOUR_MS, high: 4 * HOUR_MS },
      falseAlarmBudget: '1000',
      wires: [[], []],
    },
    { id: 'sch', ...parts, type: 'takt-scheduler', watch: true, autonomy: 'auto', wires: [['out-plans'], []] },
    { id: 'out-plans', z: 'f', type: 'bench-stopwatch', name: 'plan', wires: [[]] },
  ]
}

interface Seen {
  readonly name: string
  /** ms of the process's own clock */
  readonly at: number
  readonly equipment?: string
  readonly version?: number
  readonly rows?: number
  readonly repairs: readonly string[]
}

export interface AnomalyToPlan {
  readonly anomalies: number
  readonly jobs: number
  /** From the anomaly node's message to the scheduler's, ms. */
  readonly p50: number
  readonly p95: number
  readonly max: number
}

/** A Node-RED of its own with forty units and 200 open job orders: on each unit in turn a value passes its limit, and the plan that has the unit's repair in it is waited for. */
export async function anomalyToPlan(): Promise<AnomalyToPlan> {
  const userDir = mkdtempSync(join(tmpdir(), 'takt-bench-'))
  const red = new NodeRedProcess({ userDir, flow: flow(), nodesDir: join(packageRoot, 'bench', 'sink') })
  const random = seededRandom(3)
  const send = async (name: string, message: object): Promise<void> => {
    const response = await fetch(`${red.url}/bench/send/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(message),
    })
    if (!response.ok) throw new Error(`${name}: ${response.status}\n${red.log.slice(-3000)}`)
  }
  const seen = async (name: string): Promise<Seen[]> =>
    ((await (await fetch(`${red.url}/bench/stopwatch`)).json()) as Seen[]).filter((one) => one.name === name)
  try {
    await red.start()
    const begin = Date.now()
    for (let i = 0; i < ORDERS; i++)
      await send('orders', {
        topic: 'create',
        payload: { id: `o${i}`, product: `m${i % CLASSES}`, quantity: 15 + (i % 7), due: begin + (2 + i / 5) * HOUR_MS },
      })
    const jobs = ORDERS * OPERATIONS
    await red.until('all orders are planned', async () => (await seen('plan')).at(-1)?.rows === jobs)
    const times: number[] = []
    for (let i = 0; i < UNITS; i++) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS.least + random() * (PAUSE_MS.most - PAUSE_MS.least)))
      const equipment = `bench/u${i}`
      const time = Date.now()
      const payload = { kind: 'sample', equipment, signal: 'vibration', value: ALARM_ABOVE + 2, quality: 'good', time, received: time }
      await send('samples', { topic: `${equipment}/vibration`, payload })
      const [anomaly, plan] = await red.until(`a plan with the repair of ${equipment}`, async () => {
        const found = (await seen('anomaly')).find((one) => one.equipment === equipment)
        const answer = (await seen('plan')).find(({ repairs }) => repairs.includes(equipment))
        return found !== undefined && answer !== undefined && ([found, answer] as const)
      })
      times.push(plan.at - anomaly.at)
    }
    times.sort((a, b) => a - b)
    const at = (share: number): number => times[Math.ceil(share * times.length) - 1] ?? Number.NaN
    return { anomalies: times.length, jobs, p50: at(0.5), p95: at(0.95), max: at(1) }
  } finally {
    await red.stop()
    rmSync(userDir, { recursive: true, force: true })
  }
}

if (import.meta.main) console.log(JSON.stringify(await anomalyToPlan()))
