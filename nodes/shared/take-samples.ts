import { toTaktError } from '../../core/base/error.ts'
import type { Sample } from '../../core/messages/sample.ts'
import { hasKind, validateDocument } from '../../core/messages/validate.ts'
import type { BadInput } from './bad-input.ts'
import type { Message, Send } from './define-node.ts'
import { isSample, type sampleReader } from './sample-fields.ts'

type Done = Promise<void> | undefined

export interface TakenBy {
  readonly where: string
  readonly bad: BadInput
  readonly read: ReturnType<typeof sampleReader>
  judge(sample: Sample, message: Message, send: Send): Done
  /** A document of another kind; those that the node has no use for are for others on the wire. May throw. */
  document(payload: { readonly kind: string }): void
  /** What is no document: a command, a person's word. Undefined where it is none of these, and then it is read as a value. May throw. */
  said?(message: Message, send: Send): Done
}

/** The input of a node that judges samples: samples and lists of them, documents beside them, what people say, and any value that can be read as a sample. What is of no use is reported. */
export function takeSamples({ where, bad, read, judge, document, said }: TakenBy): (message: Message, send: Send) => Done {
  const take = (message: Message, send: Send): Done => {
    const { payload } = message
    if (isSample(payload)) return judge(payload, message, send)
    if (Array.isArray(payload)) {
      const parts = payload.map((part) => take({ ...message, payload: part as unknown }, send)).filter((part) => part !== undefined)
      return parts.length === 0 ? undefined : Promise.all(parts).then(() => {})
    }
    try {
      if (hasKind(payload)) {
        // it lacks what a sample must have: this says what
        if (payload.kind === 'sample') validateDocument(payload, 'sample', where)
        document(payload)
        return undefined
      }
      const done = said?.(message, send)
      if (done !== undefined) return done
      const sample = read(message)
      if (sample instanceof Promise) return sample.then((made) => judge(made, { ...message, payload: made }, send))
      return judge(sample, { ...message, payload: sample }, send)
    } catch (thrown) {
      bad.report(toTaktError(thrown, where), { topic: message.topic, payload })
      return undefined
    }
  }
  return take
}
