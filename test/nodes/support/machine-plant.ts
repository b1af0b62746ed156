import type { FlowNode } from './helper.ts'

/** A plant of two mills, as an inline config node. */
export const MILL = 'acme/line-1/mill-1'
export const MILL_2 = 'acme/line-1/mill-2'

const signals = [
  { name: 'state', role: 'packml-state' },
  { name: 'mode', role: 'packml-mode' },
  { name: 'job', role: 'job-order' },
  { name: 'good', role: 'good-count', rollover: 65_536 },
  { name: 'scrap', role: 'scrap-count' },
  { name: 'vibration', role: 'condition', unit: 'mm/s', alarm: { high: 10 } },
]

export function machinePlant(properties: Record<string, unknown> = {}, stateSignal: Record<string, unknown> = {}): FlowNode {
  const model = {
    plant: 'acme',
    equipment: [MILL, MILL_2].map((id) => ({
      id,
      level: 'workUnit',
      signals: signals.map((signal) => (signal.name === 'state' ? { ...signal, ...stateSignal } : signal)),
    })),
  }
  return { id: 'a1', type: 'takt-plant', name: 'P', source: 'inline', model: JSON.stringify(model), clock: 'system', ...properties }
}
