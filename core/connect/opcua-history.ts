import type { ClientSession, DataValue, HistoryReadResult } from 'node-opcua'
import type { Opcua } from './load-opcua.ts'

/** What a server's history has of one node between two times. */
export interface HistoryValues {
  readonly values: readonly DataValue[]
  /** False where the server has no history of it, or not all could be had; `why` says so. */
  readonly complete: boolean
  readonly why: string
}

export interface HistoryBounds {
  /** Values of one answer. */
  readonly pageSize: number
  /** Values of one node at most. */
  readonly most: number
  /** `performance.now()` after which no more is asked. */
  readonly deadline: number
}

/**
 * The nodes of which the server keeps a history that this user may read: AccessLevel and UserAccessLevel have HistoryRead (OPC 10000-3, 5.6.2).
 * In the order of `nodeIds`; all false where the server does not answer.
 */
export async function haveHistory(session: ClientSession, { AttributeIds, AccessLevelFlag }: Opcua, nodeIds: readonly string[]): Promise<readonly boolean[]> {
  const found: boolean[] = []
  const perCall = 200
  for (let from = 0; from < nodeIds.length; from += perCall) {
    const nodes = nodeIds.slice(from, from + perCall)
    const levels = await session.read(nodes.map((nodeId) => ({ nodeId, attributeId: AttributeIds.UserAccessLevel }))).catch(() => [])
    for (const index of nodes.keys()) {
      const level = levels[index]
      const flags = level?.statusCode.isGood() ? Number(level.value.value) : 0
      found.push((flags & AccessLevelFlag.HistoryRead) !== 0)
    }
  }
  return found
}

/** Raw values with source times from `from` to `to` (epoch ms, both included), page by page (OPC 10000-11, 6.4.3). Never rejects. */
export async function readHistory(
  session: ClientSession,
  opcua: Opcua,
  nodeId: string,
  from: number,
  to: number,
  bounds: HistoryBounds,
): Promise<HistoryValues> {
  const values: DataValue[] = []
  let continuationPoint: Buffer | null = null
  try {
    do {
      const result = await readPage(session, opcua, nodeId, from, to, bounds.pageSize, continuationPoint, false)
      if (result === undefined) return { values, complete: false, why: 'the server did not answer' }
      if (result.statusCode.isBad()) return { values, complete: false, why: `the server's history: ${result.statusCode.name}` }
      for (const value of valuesOf(result)) {
        const time = value.sourceTimestamp?.getTime()
        if (time !== undefined && time >= from && time <= to) values.push(value)
      }
      continuationPoint = result.continuationPoint !== null && result.continuationPoint?.length > 0 ? result.continuationPoint : null
      if (continuationPoint !== null && (values.length >= bounds.most || performance.now() > bounds.deadline)) {
        await readPage(session, opcua, nodeId, from, to, bounds.pageSize, continuationPoint, true)
        return { values, complete: false, why: `the server's history has more than the ${values.length} values that were read` }
      }
    } while (continuationPoint !== null)
  } catch (thrown) {
    return { values, complete: false, why: `the server's history: ${thrown instanceof Error ? thrown.message : String(thrown)}` }
  }
  return { values, complete: true, why: '' }
}

async function readPage(
  session: ClientSession,
  opcua: Opcua,
  nodeId: string,
  from: number,
  to: number,
  numValuesPerNode: number,
  continuationPoint: Buffer | null,
  releaseContinuationPoints: boolean,
): Promise<HistoryReadResult | undefined> {
  const request = new opcua.HistoryReadRequest({
    historyReadDetails: new opcua.ReadRawModifiedDetails({
      isReadModified: false,
      startTime: new Date(from),
      // the end itself is not part of the answer
      endTime: new Date(to + 1),
      numValuesPerNode,
      returnBounds: false,
    }),
    timestampsToReturn: opcua.TimestampsToReturn.Both,
    releaseContinuationPoints,
    nodesToRead: [{ nodeId: opcua.resolveNodeId(nodeId), ...(continuationPoint === null ? {} : { continuationPoint }) }],
  })
  const { results } = await session.historyRead(request)
  return results?.[0]
}

function valuesOf({ historyData }: HistoryReadResult): readonly DataValue[] {
  return (historyData as { dataValues?: DataValue[] | null } | null)?.dataValues ?? []
}
