import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { packageRoot } from '../../core/base/package-root.ts'

/** A script of bench/support in a process of its own, spoken to by lines. */
export class Child {
  readonly #process: ChildProcess
  readonly #lines: string[] = []
  readonly #waiting: Array<() => void> = []
  #ended = false

  constructor(script: string, ...args: string[]) {
    this.#process = spawn(process.execPath, [join(packageRoot, 'bench', 'support', script), ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    const wake = (): void => {
      for (const look of this.#waiting.splice(0)) look()
    }
    if (this.#process.stdout !== null) {
      createInterface({ input: this.#process.stdout }).on('line', (line) => {
        this.#lines.push(line)
        wake()
      })
    }
    this.#process.once('exit', () => {
      this.#ended = true
      wake()
    })
  }

  say(line: string): void {
    this.#process.stdin?.write(`${line}\n`)
  }

  /** The next line it says. Rejects when it ends without one. */
  async line(): Promise<string> {
    for (;;) {
      const line = this.#lines.shift()
      if (line !== undefined) return line
      if (this.#ended) throw new Error('the process ended without an answer')
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  ask(line: string): Promise<string> {
    this.say(line)
    return this.line()
  }

  kill(): void {
    if (!this.#ended) this.#process.kill()
  }
}
