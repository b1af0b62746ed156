import { appendFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Node, NodeAPI, NodeDef } from 'node-red'
import type { Gap } from '../../../core/messages/gap.ts'
import type { Sample } from '../../../core/messages/sample.ts'
import { defineNode, type Message } from '../../../nodes/shared/define-node.ts'
import { KeyedEffects } from '../../../nodes/shared/keyed-effects.ts'
import { optionalConfigNode } from '../../../nodes/shared/lookup.ts'
import type { StoreNode } from '../../../nodes/store/store.ts'

interface FaultsSinkConfig extends NodeDef {
  /** With a store each sample becomes one event of its ledger, through the keyed effect that recording nodes use. */
  readonly store: string
  /** Without one it becomes a line of this file; gaps always do. */
  readonly file: string
  /** A slow consumer: milliseconds before it records. */
  readonly delayMs: number
}

/** Records what reaches a flow, so that the fault harness can count it. Part of the harness, never of the palette. */
export default function registerFaultsSink(RED: NodeAPI): void {
  defineNode<FaultsSinkConfig, Node>(RED, {
    type: 'takt-faults-sink',
    create(node, config) {
      const store = optionalConfigNode<StoreNode>(RED, node, config.store, 'store')?.store
      const effects = store === undefined ? undefined : new KeyedEffects(node, store)
      return {
        async input(message: Message) {
          const document = message.payload as Sample | Gap
          if (document.kind === 'gap') return appendFileSync(config.file, `${JSON.stringify(document)}\n`)
          if (document.kind !== 'sample') return
          const subject = `${document.equipment}/${document.signal}`
          const sequence = Number(document.context?.serial ?? document.value)
          if (effects === undefined) return appendFileSync(config.file, `${subject} ${sequence}\n`)
          const event = { type: 'fault-harness.recorded', subject, actor: `node:${node.id}`, after: { sequence, time: document.time } }
          // held while it waits, as a flow with a delay in it does not: such a flow relies on the settle time
          const release = effects.hold(message)
          if (config.delayMs > 0) await pause(config.delayMs)
          try {
            await effects.record(
              message,
              async (tx, fresh) => (fresh ? tx.record(event) : undefined),
              () => {},
            )
          } finally {
            release()
          }
        },
        close: () => effects?.stop(),
      }
    },
  })
}
