import type { Node, NodeAPI, NodeDef } from 'node-red'
import { TaktError, toTaktError } from '../../core/base/error.ts'

/** A message as it flows; `payload` is a document or what a plain flow has. */
export interface Message {
  topic?: string
  payload?: unknown
  _msgid?: string
  [property: string]: unknown
}

/** One entry per output: a message, several in order, or nothing. */
export type Send = (messages: Message | ReadonlyArray<Message | readonly Message[] | null>) => void

export interface Handlers {
  /** Takes one message. What it throws, or rejects with, goes to `catch` as a coded error. */
  input?(message: Message, send: Send): void | Promise<void>
  /** Ends everything the node began; `removed` when the node was deleted or disabled. */
  close?(removed: boolean): void | Promise<void>
}

export interface NodeDefinition<Config extends NodeDef, Made extends Node> {
  readonly type: `takt-${string}`
  readonly credentials?: Record<string, { type: 'text' | 'password' }>
  /** Builds the node from its checked config. What it throws is shown on the node, which then takes no messages. */
  create(node: Made, config: Config, RED: NodeAPI): Handlers
}

/** Why a node could not be built, for those that depend on it. */
const startErrors = new WeakMap<object, TaktError>()

export function startErrorOf(node: object): TaktError | undefined {
  return startErrors.get(node)
}

const INPUT_TIMEOUT_MS = 60_000
const CLOSE_TIMEOUT_MS = 10_000

/**
 * Registers a node type. The one place that listens to Node-RED's `input` and `close`: an `async` handler that rejects there would end the whole
 * process, and an `async` close handler without a parameter would not be awaited. Here `done` is called exactly once, in time, with a coded error or none.
 */
export function defineNode<Config extends NodeDef = NodeDef, Made extends Node = Node>(RED: NodeAPI, definition: NodeDefinition<Config, Made>): void {
  function construct(this: Made, config: Config): void {
    RED.nodes.createNode(this, config)
    let handlers: Handlers
    try {
      handlers = definition.create(this, config, RED)
    } catch (thrown) {
      const error = toTaktError(thrown, nameOf(this))
      showError(this, error)
      this.error(error)
      startErrors.set(this, error)
      handlers = {
        input: () => {
          throw error
        },
      }
    }
    listen(this, handlers)
  }
  RED.nodes.registerType(
    definition.type,
    construct as never,
    definition.credentials === undefined ? undefined : ({ credentials: definition.credentials } as never),
  )
}

/** `work order 'Orders'`, for the `where` of errors. */
export function nameOf(node: Node): string {
  const type = node.type.replace(/^takt-/, '').replaceAll('-', ' ')
  return node.name ? `${type} '${node.name}'` : `${type} ${node.id}`
}

/** Shows an error's sentence as red status, short enough for the editor. */
export function showError(node: Node, error: TaktError): void {
  node.status({ fill: 'red', shape: 'ring', text: error.what.length > 60 ? `${error.what.slice(0, 57)}…` : error.what })
}

function listen(node: Node, handlers: Handlers): void {
  const { input, close } = handlers
  const where = nameOf(node)
  if (input !== undefined) {
    // biome-ignore lint/plugin: the one place that may listen
    node.on('input', (message, send, done) => {
      const finish = once((error?: TaktError) => {
        if (error === undefined) return done()
        showError(node, error)
        done(error)
      })
      settle(() => input(message as Message, send as Send), INPUT_TIMEOUT_MS, where, finish)
    })
  }
  // biome-ignore lint/plugin: the one place that may listen
  node.on('close', (removed: boolean, done: () => void) => {
    const finish = once((error?: TaktError) => {
      if (error !== undefined) node.warn(error.message)
      done()
    })
    settle(() => close?.(removed), CLOSE_TIMEOUT_MS, where, finish)
  })
}

/** Runs a handler that may be synchronous or not; a synchronous one costs no promise and no timer. */
function settle(run: () => unknown, timeoutMs: number, where: string, finish: (error?: TaktError) => void): void {
  let running: unknown
  try {
    running = run()
  } catch (thrown) {
    return finish(toTaktError(thrown, where))
  }
  if (!(running instanceof Promise)) return finish()
  const timer = setTimeout(() => finish(new TaktError('TAKT_TIMEOUT', { what: `not finished after ${timeoutMs / 1000} s`, where })), timeoutMs)
  running
    .then(
      () => finish(),
      (thrown: unknown) => finish(toTaktError(thrown, where)),
    )
    .finally(() => clearTimeout(timer))
}

function once<A extends unknown[]>(call: (...args: A) => void): (...args: A) => void {
  let called = false
  return (...args) => {
    if (called) return
    called = true
    call(...args)
  }
}
