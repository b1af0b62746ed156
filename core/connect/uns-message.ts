import { createHash } from 'node:crypto'
import { DOCUMENTS, type Document, type Kind } from '../messages/document.ts'
import type { MqttConnection } from './mqtt-connection.ts'
import type { QoS } from './mqtt-options.ts'

/** A message of the namespace, as the outbox keeps it. */
export interface UnsMessage {
  readonly topic: string
  /** JSON; empty takes a retained message back. */
  readonly body: string
  readonly retain: boolean
  readonly kind: Kind
}

const ids = new Map<Kind, string>()

/** The id of a kind's schema; another one when the schema becomes another. */
export function schemaId(kind: Kind): string {
  let id = ids.get(kind)
  if (id === undefined) {
    const hash = createHash('sha256').update(JSON.stringify(DOCUMENTS[kind])).digest('hex').slice(0, 8)
    id = `urn:takt:${kind}:${hash}`
    ids.set(kind, id)
  }
  return id
}

/** The document with the id of its schema, as JSON. */
export function bodyWithSchema(document: Document): string {
  return JSON.stringify({ $schema: schemaId(document.kind), ...document })
}

/** The schema itself, for the topic where readers find it: JSON Schema, 2020-12. */
export function schemaBody(kind: Kind): string {
  return JSON.stringify({ $schema: 'https://json-schema.org/draft/2020-12/schema', $id: schemaId(kind), title: kind, ...DOCUMENTS[kind] })
}

/** Publishes; with MQTT 5 the content type and the id of the schema stand beside the payload too. Resolves when the broker has it (QoS 1). */
export function publishUns(connection: MqttConnection, { topic, body, retain, kind }: UnsMessage, qos: QoS): Promise<void> {
  if (body === '') return connection.publish(topic, '', { qos, retain: true })
  return connection.publish(topic, body, { qos, retain, contentType: 'application/json', userProperties: { schema: schemaId(kind) } })
}
