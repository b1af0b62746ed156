import { closedLoop } from '../../flows/closed-loop/closed-loop.ts'

let nodes: ReturnType<typeof closedLoop> | undefined

/** The first node of a type in the reference flow: a benchmark measures what is shipped, as it is set there. */
export function nodeOf<T>(type: string): T {
  nodes ??= closedLoop()
  const found = nodes.find((node) => node.type === type)
  if (found === undefined) throw new Error(`the reference flow has no ${type}`)
  return found as T
}
