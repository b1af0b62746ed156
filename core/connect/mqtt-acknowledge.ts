import type { IPublishPacket, MqttClient } from 'mqtt'
import { type TaktError, toTaktError } from '../base/error.ts'

export interface AcknowledgeSetting {
  /** Undefined: done. A promise: the message is safe when it resolves. */
  take(packet: IPublishPacket): void | Promise<void>
  /** What a message meant could not be kept. Nothing after it is acknowledged on this connection, which should be given up. */
  failed(problem: TaktError): void
  /** Messages that may be under way at once; at this many no more is read from the network. */
  readonly limit: number
  /** For errors: the node. */
  readonly where: string
}

interface UnderWay {
  readonly messageId: number | undefined
  done: boolean
}

/** Messages that need no waiting are acknowledged so many at a time. */
const TOGETHER = 32

/** Given to mqtt.js instead of a success: it then sends no PUBACK and goes on with the next packet. */
const NOT_YET = new Error('acknowledged when it is safe')

type Internals = { _sendPacket(packet: { readonly cmd: 'puback'; readonly messageId: number; readonly reasonCode: 0 }): void }

/**
 * Acknowledges messages when they are safe, many of them under way at once. By itself mqtt.js waits for one message before it looks at the next, which makes one
 * commit a message. Here the next one is taken at once, and the PUBACKs are sent later, in the order in which the messages came (MQTT 5, 4.6). What is not
 * acknowledged when a connection ends the broker sends again; an acknowledgement never crosses from one connection to the next, because packet ids begin anew.
 */
export class Acknowledger {
  readonly #client: MqttClient
  readonly #setting: AcknowledgeSetting
  #queue: UnderWay[] = []
  #head = 0
  #underWay = 0
  #goOn: (() => void) | undefined
  #flushing = false
  #pingOutstanding = false

  constructor(client: MqttClient, setting: AcknowledgeSetting) {
    this.#client = client
    this.#setting = setting
    client.handleMessage = (packet, callback) => this.#handle(packet, callback)
    client.on('close', () => this.#forget())
    this.#guardKeepalive()
  }

  /** Messages taken and not yet safe. */
  get underWay(): number {
    return this.#underWay
  }

  #handle(packet: IPublishPacket, callback: (error?: Error) => void): void {
    if (this.#pingOutstanding) this.#alive()
    const work = this.#setting.take(packet)
    if (packet.qos === 0 && work === undefined) return callback()
    if (packet.qos === 2) return this.#inTurn(work ?? Promise.resolve(), callback)
    const entry: UnderWay = { messageId: packet.qos === 1 ? packet.messageId : undefined, done: work === undefined }
    this.#queue.push(entry)
    if (work === undefined) this.#flushSoon()
    else this.#follow(work, entry, this.#queue)
    const goOn = (): void => callback(packet.qos === 1 ? NOT_YET : undefined)
    if (this.#underWay < this.#setting.limit) goOn()
    else this.#goOn = goOn
  }

  /** A message of QoS 2, which a session may still hold from before: mqtt.js has its own order of replies there, so it waits alone. */
  #inTurn(work: Promise<void>, callback: (error?: Error) => void): void {
    work.then(
      () => callback(),
      (thrown: unknown) => {
        callback(NOT_YET)
        this.#setting.failed(toTaktError(thrown, this.#setting.where))
      },
    )
  }

  #follow(work: Promise<void>, entry: UnderWay, queue: readonly UnderWay[]): void {
    this.#underWay++
    work.then(
      () => {
        this.#underWay--
        entry.done = true
        if (queue === this.#queue) this.#flush()
        this.#resume()
      },
      (thrown: unknown) => {
        this.#underWay--
        // of a connection that is gone the broker sends it again by itself
        if (queue === this.#queue) {
          this.#forget()
          this.#setting.failed(toTaktError(thrown, this.#setting.where))
        }
        this.#resume()
      },
    )
  }

  /** Few writes to the network for what one read of it brought, and early enough that the broker's window never closes. */
  #flushSoon(): void {
    if (this.#queue.length - this.#head >= TOGETHER) return this.#flush()
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(() => {
      this.#flushing = false
      this.#flush()
    })
  }

  /** Acknowledges from the oldest on, up to the first that is not safe. */
  #flush(): void {
    const queue = this.#queue
    for (; this.#head < queue.length; this.#head++) {
      const entry = queue[this.#head]
      if (entry === undefined || !entry.done) break
      if (entry.messageId !== undefined && this.#client.connected)
        (this.#client as unknown as Internals)._sendPacket({ cmd: 'puback', messageId: entry.messageId, reasonCode: 0 })
    }
    if (this.#head === queue.length) {
      queue.length = 0
      this.#head = 0
    } else if (this.#head >= 1024) {
      queue.splice(0, this.#head)
      this.#head = 0
    }
  }

  #resume(): void {
    const goOn = this.#goOn
    if (goOn === undefined || this.#underWay >= this.#setting.limit) return
    this.#goOn = undefined
    goOn()
  }

  #forget(): void {
    this.#queue = []
    this.#head = 0
    this.#goOn = undefined
  }

  /**
   * mqtt.js gives a connection up when the answer to its ping is not read in time. It may lie behind much that we have not read yet, and that is no sign of a dead
   * broker: any packet that comes while a ping is out counts as its answer, and while we read nothing no answer is awaited.
   */
  #guardKeepalive(): void {
    const ping = this.#client.sendPing.bind(this.#client)
    this.#client.sendPing = () => {
      ping()
      this.#pingOutstanding = true
      if (this.#goOn !== undefined) this.#alive()
    }
  }

  #alive(): void {
    this.#pingOutstanding = false
    this.#client.reschedulePing(true)
  }
}
