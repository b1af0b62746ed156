import type { ClientSession, DataValue, ReferenceDescription, Variant } from 'node-opcua'
import type { Opcua } from './load-opcua.ts'
import { plainOf } from './opcua-value.ts'

/** A node of a server's address space, as a person picks it. */
export interface BrowsedNode {
  readonly nodeId: string
  readonly name: string
  readonly variable: boolean
  /** An element or member of the variable, as in `OpcuaItem.path`. */
  readonly path?: string
  readonly dataType?: string
  /** Short text of the present value. */
  readonly value?: string
  /** What this user may do: `r`, `w`, `h` (read the history). */
  readonly access?: string
  /** Has elements or members of its own. */
  readonly parts?: boolean
}

/** A node that a search found, with the names that lead to it. */
export interface FoundNode extends BrowsedNode {
  readonly way: string
}

export interface SearchLimits {
  /** Nodes looked at, and found, at most. */
  readonly visited: number
  readonly found: number
  /** Real ms. */
  readonly timeMs: number
  /** The asker has gone. */
  readonly signal?: AbortSignal
}

export interface SearchResult {
  readonly found: readonly FoundNode[]
  /** False where a limit ended the walk. */
  readonly complete: boolean
}

const NODES_PER_CALL = 100
const LONGEST_VALUE = 60
const PARTS_SHOWN = 100
/** The server's own diagnostics: large, and no machine's data. */
const SERVER_OBJECT = 'ns=0;i=2253'
const OBJECTS_FOLDER = 'ObjectsFolder'

/** The children of a node; of a variable that is an array or a structure its elements and members too. Rejects with the server's refusal. */
export async function browseNode(session: ClientSession, opcua: Opcua, nodeId: string): Promise<readonly BrowsedNode[]> {
  const [references] = await childrenOf(session, opcua, [opcua.resolveNodeId(nodeId).toString()])
  if (references instanceof Error) throw references
  const children = await describe(
    session,
    opcua,
    (references ?? []).map((reference) => nodeOf(reference, opcua)),
  )
  return [...(await partsOf(session, opcua, nodeId)), ...children]
}

/** Nodes whose name or id has the text, breadth first from the objects folder. */
export async function searchNodes(session: ClientSession, opcua: Opcua, text: string, limits: SearchLimits): Promise<SearchResult> {
  const wanted = text.trim().toLowerCase()
  const end = performance.now() + limits.timeMs
  const seen = new Set<string>([SERVER_OBJECT])
  const found: FoundNode[] = []
  let level: Array<{ readonly nodeId: string; readonly way: string }> = [{ nodeId: opcua.resolveNodeId(OBJECTS_FOLDER).toString(), way: '' }]
  let complete = wanted !== ''
  walk: while (level.length > 0 && complete) {
    const next: typeof level = []
    for (let from = 0; from < level.length; from += NODES_PER_CALL) {
      if (seen.size > limits.visited || performance.now() > end || limits.signal?.aborted === true) {
        complete = false
        break walk
      }
      const chunk = level.slice(from, from + NODES_PER_CALL)
      const answers = await childrenOf(
        session,
        opcua,
        chunk.map(({ nodeId }) => nodeId),
      )
      for (const [index, references] of answers.entries()) {
        if (references instanceof Error) continue
        for (const reference of references) {
          const node = nodeOf(reference, opcua)
          if (seen.has(node.nodeId)) continue
          seen.add(node.nodeId)
          const way = `${chunk[index]?.way ?? ''}${chunk[index]?.way === '' ? '' : ' / '}${node.name}`
          next.push({ nodeId: node.nodeId, way })
          if (!node.name.toLowerCase().includes(wanted) && !node.nodeId.toLowerCase().includes(wanted)) continue
          if (found.length >= limits.found) {
            complete = false
            break walk
          }
          found.push({ ...node, way })
        }
      }
    }
    level = next
  }
  const described = await describe(session, opcua, found)
  return { found: described.map((node, index) => ({ ...node, way: found[index]?.way ?? node.name })), complete }
}

async function childrenOf(session: ClientSession, opcua: Opcua, nodeIds: readonly string[]): Promise<ReadonlyArray<readonly ReferenceDescription[] | Error>> {
  const { NodeClass, BrowseDirection } = opcua
  const results = await session.browse(
    nodeIds.map((nodeId) => ({
      nodeId,
      referenceTypeId: 'HierarchicalReferences',
      includeSubtypes: true,
      browseDirection: BrowseDirection.Forward,
      nodeClassMask: NodeClass.Object | NodeClass.Variable,
      resultMask: 0x3f,
    })),
  )
  return Promise.all(
    results.map(async (result) => {
      if (result.statusCode.isNotGood()) return new Error(result.statusCode.name)
      const references = [...(result.references ?? [])]
      let { continuationPoint } = result
      while (continuationPoint !== null && continuationPoint !== undefined && continuationPoint.length > 0) {
        const more = await session.browseNext(continuationPoint, false)
        references.push(...(more.references ?? []))
        continuationPoint = more.continuationPoint
      }
      return references
    }),
  )
}

function nodeOf(reference: ReferenceDescription, { NodeClass }: Opcua): BrowsedNode {
  const nodeId = reference.nodeId.toString()
  return {
    nodeId,
    name: reference.displayName.text ?? reference.browseName.name ?? nodeId,
    variable: reference.nodeClass === NodeClass.Variable,
  }
}

/** Adds type, value and access to the variables. */
async function describe<N extends BrowsedNode>(session: ClientSession, opcua: Opcua, nodes: readonly N[]): Promise<readonly BrowsedNode[]> {
  const { AttributeIds, AccessLevelFlag } = opcua
  const variables = nodes.filter(({ variable }) => variable)
  const known = new Map<string, Partial<BrowsedNode>>()
  for (let from = 0; from < variables.length; from += NODES_PER_CALL) {
    const chunk = variables.slice(from, from + NODES_PER_CALL)
    const values = await session
      .read(
        chunk.flatMap(({ nodeId }) => [
          { nodeId, attributeId: AttributeIds.Value },
          { nodeId, attributeId: AttributeIds.UserAccessLevel },
        ]),
      )
      .catch((): DataValue[] => [])
    for (const [index, { nodeId }] of chunk.entries()) {
      const value = values[2 * index]
      const level = values[2 * index + 1]
      const flags = level?.statusCode.isGood() ? Number(level.value.value) : 0
      const access = [
        (flags & AccessLevelFlag.CurrentRead) !== 0 ? 'r' : '',
        (flags & AccessLevelFlag.CurrentWrite) !== 0 ? 'w' : '',
        (flags & AccessLevelFlag.HistoryRead) !== 0 ? 'h' : '',
      ].join('')
      known.set(nodeId, { access, ...(value?.statusCode.isGood() && value.value ? shown(value.value, opcua) : {}) })
    }
  }
  return nodes.map((node) => ({ ...node, ...known.get(node.nodeId) }))
}

function shown(variant: Variant, opcua: Opcua): Partial<BrowsedNode> {
  const scalar = variant.arrayType === opcua.VariantArrayType.Scalar
  const structure = variant.dataType === opcua.DataType.ExtensionObject
  const name = structure ? ((variant.value as { schema?: { name?: string } } | null)?.schema?.name ?? 'structure') : (opcua.DataType[variant.dataType] ?? '')
  const size = variant.dimensions?.join('×') ?? (scalar ? '' : String((variant.value as ArrayLike<unknown> | null)?.length ?? 0))
  return {
    dataType: scalar ? name : `${name}[${size}]`,
    value: textOf(plainOf(variant, opcua)),
    ...(scalar && !structure ? {} : { parts: true }),
  }
}

/** Elements of an array and members of a structure, one level deep. */
async function partsOf(session: ClientSession, opcua: Opcua, nodeId: string): Promise<readonly BrowsedNode[]> {
  const value = await session.read({ nodeId, attributeId: opcua.AttributeIds.Value }).catch(() => undefined)
  if (value === undefined || value.statusCode.isNotGood() || value.value?.value === null || value.value?.value === undefined) return []
  await opcua.promoteOpaqueStructure(session as never, [value]).catch(() => {})
  const resolved = opcua.resolveNodeId(nodeId).toString()
  const whole = plainOf(value.value, opcua)
  const made: BrowsedNode[] = []
  const add = (path: string, part: unknown): void => {
    if (made.length >= PARTS_SHOWN) return
    if (Array.isArray(part)) {
      for (const [index, each] of part.entries()) add(`${path}[${index}]`, each)
      return
    }
    if (isStructure(part)) {
      for (const key of memberNames(part)) add(`${path}.${key}`, (part as unknown as Record<string, unknown>)[key])
      return
    }
    if (path !== '') made.push({ nodeId: resolved, name: path, path, variable: true, value: textOf(part), dataType: typeof part })
  }
  if (Array.isArray(whole) || isStructure(whole)) add('', whole)
  return made
}

interface Structure {
  readonly schema: { readonly fields?: ReadonlyArray<{ readonly name: string }> }
}

function isStructure(value: unknown): value is Structure {
  return typeof value === 'object' && value !== null && 'schema' in value
}

function memberNames(structure: Structure): readonly string[] {
  return Object.keys(structure).filter((key) => !key.startsWith('$') && !key.startsWith('_'))
}

function textOf(value: unknown): string {
  let text: string
  try {
    text = typeof value === 'string' ? value : (JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each)) ?? '')
  } catch {
    text = String(value)
  }
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 1)}…` : text
}
