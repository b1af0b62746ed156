import type { TaktError } from '../../base/error.ts'

/** What an edge node asks of MQTT: one clean session at a time, with a will of its own. */
export interface EdgeTransport {
  open(session: EdgeSession): EdgeLink
}

export interface EdgeSession {
  /** Which of the servers, from 0. */
  readonly server: number
  readonly will: { readonly topic: string; readonly payload: Uint8Array }
  readonly filters: readonly string[]
  /** Connected, and every filter is granted. Messages that the server kept may come before. */
  opened(): void
  /** The connection failed or was lost; told once, never after `close`. `reached`: the server may have seen the CONNECT packet. */
  lost(problem: TaktError | undefined, reached: boolean): void
  message(topic: string, payload: Uint8Array, retained: boolean): void
  /** The server has all messages up to this number: it answered something that was asked after it. */
  proved(sent: number): void
}

export interface EdgeLink {
  /** QoS 0, not retained. Returns the running number of the message on this connection, from 1. */
  publish(topic: string, payload: Uint8Array): number
  /** Publishes the last word and disconnects; resolves when the connection is gone: true when the server has confirmed the last word. */
  close(last: { readonly topic: string; readonly payload: Uint8Array }): Promise<boolean>
}
