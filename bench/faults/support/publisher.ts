import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { packageRoot } from '../../../core/base/package-root.ts'

/** What a publisher is told. */
export interface PublisherOrder {
  readonly url: string
  /** Each is numbered on its own from 0. MQTT: topics; OPC UA: names of variables, node id `ns=1;s=<name>`. */
  readonly topics: readonly string[]
  /** The file that it logs acknowledged messages to. */
  readonly log: string
  readonly session: string
  readonly qos: 0 | 1
  /** Messages a second on each topic. */
  readonly rate: number
  /** Source times of a topic lie this far apart; without it they are the clock's. */
  readonly stepMs?: number
  /** The job order that each message names. */
  readonly job?: string
  /** Bytes that each message is larger. */
  readonly padding?: number
  /** After a lost connection it repeats what it sent in these last milliseconds, acknowledged or not. */
  readonly resendMs?: number
  /** Share of the messages that are sent a second time, up to three seconds later. */
  readonly duplicates?: number
  /** OPC UA: the server keeps so many past values of each variable, and gives them to HistoryRead. */
  readonly history?: number
  /** So many messages are held and sent in random order. */
  readonly shuffle?: number
}

export interface SentMessage {
  readonly sequence: number
  /** Source time, epoch ms. */
  readonly time: number
}

/** A sequence-numbered sender in a process of its own, which knows nothing of Takt. */
export class Publisher {
  readonly #order: PublisherOrder
  readonly #child: ChildProcess
  readonly #lines: string[] = []
  #ended = false

  private constructor(script: 'mqtt-publisher.ts' | 'opcua-publisher.ts', order: PublisherOrder) {
    this.#order = order
    this.#child = spawn(process.execPath, [join(packageRoot, 'bench', 'faults', 'process', script), JSON.stringify(order)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#child.once('exit', () => (this.#ended = true))
    if (this.#child.stdout !== null) createInterface({ input: this.#child.stdout }).on('line', (line) => this.#lines.push(line))
  }

  static async start(script: 'mqtt-publisher.ts' | 'opcua-publisher.ts', order: PublisherOrder): Promise<Publisher> {
    const publisher = new Publisher(script, order)
    await publisher.#until(() => publisher.#lines.includes('ready'), 60_000)
    return publisher
  }

  rate(perSecond: number): void {
    this.#child.stdin?.write(`rate ${perSecond}\n`)
  }

  /** Sends no more; resolves when all that it sent is acknowledged. An OPC UA server goes on serving until `kill`. */
  async stop(): Promise<void> {
    this.#child.stdin?.write('stop\n')
    await this.#until(() => this.#ended || this.#lines.some((line) => line.startsWith('acknowledged')), 120_000)
  }

  kill(): void {
    if (!this.#ended) this.#child.kill('SIGKILL')
  }

  /** What was acknowledged, by topic: the truth that a count is held against. */
  sent(): ReadonlyMap<string, readonly SentMessage[]> {
    const byTopic = new Map<string, SentMessage[]>(this.#order.topics.map((topic) => [topic, []]))
    const text = existsSync(this.#order.log) ? readFileSync(this.#order.log, 'utf8') : ''
    for (const line of text.split('\n')) {
      const [topic = '', sequence, time] = line.split(' ')
      byTopic.get(topic)?.push({ sequence: Number(sequence), time: Number(time) })
    }
    return byTopic
  }

  async #until(check: () => boolean, timeoutMs: number): Promise<void> {
    const end = performance.now() + timeoutMs
    while (!check()) {
      if (this.#ended) throw new Error(`the publisher ended: ${this.#lines.join(' | ')}`)
      if (performance.now() > end) throw new Error(`the publisher did not answer in ${timeoutMs / 1000} s: ${this.#lines.join(' | ')}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
