import type { RememberedNode } from './host-node.ts'

/** The edge nodes that a host wrote down; nothing where the file is of another version, or damaged: births are then asked for. */
export function readMemory(state: unknown): ReadonlyMap<string, RememberedNode> {
  const nodes = new Map<string, RememberedNode>()
  if (!isObject(state) || state.version !== 1 || !isObject(state.nodes)) return nodes
  for (const [key, node] of Object.entries(state.nodes)) {
    if (!isObject(node) || !isBdSeq(node.bdSeq) || !isRows(node.metrics) || !isObject(node.devices)) continue
    if (!Object.values(node.devices).every(isRows)) continue
    nodes.set(key, node as unknown as RememberedNode)
  }
  return nodes
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isBdSeq(value: unknown): boolean {
  return value === null || isInteger(value)
}

function isRows(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      (row) => Array.isArray(row) && typeof row[0] === 'string' && (row[1] === null || isInteger(row[1])) && (row[2] === null || typeof row[2] === 'number'),
    )
  )
}

function isInteger(value: unknown): boolean {
  return Number.isSafeInteger(value) || (typeof value === 'string' && /^\d{1,20}$/.test(value))
}
