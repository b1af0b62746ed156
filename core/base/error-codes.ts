/**
 * Every error that Takt can raise, in one table: the code is what `catch` nodes, logs and people search for.
 * `what` is the default sentence for what is wrong, `remedy` tells the reader what to do about it.
 * The place (`where`) is known only to the code that raises it.
 */
export const ERROR_CODES = {
  // base
  TAKT_INTERNAL: { what: 'something failed inside Takt', remedy: 'report it with this message and the log around it' },
  TAKT_TIMEOUT: { what: 'an operation did not finish in time', remedy: 'see whether the server it talks to is overloaded or away' },
  TAKT_CONFIG_INVALID: { what: 'a setting is missing or wrong', remedy: 'open the node, correct the field and deploy' },

  // messages: what arrives on a wire
  TAKT_MESSAGE_INVALID: { what: 'the message is not a document this node understands', remedy: 'compare it with the shapes in docs/messages.md' },
  TAKT_MESSAGE_TOO_LARGE: { what: 'the message is larger than the configured limit', remedy: 'send less at a time, or raise the limit on the node' },
  TAKT_MESSAGE_TOO_DEEP: { what: 'the message is nested too deeply', remedy: 'send flatter data' },
  TAKT_MESSAGE_NOT_JSON: { what: 'the payload is not valid JSON', remedy: 'correct the sender, or choose the plain payload format' },
  TAKT_MESSAGE_FORBIDDEN_KEY: {
    what: 'the payload has a key that could alter objects (__proto__, constructor, prototype)',
    remedy: 'find out who sends it; rename the key',
  },

  // plant model
  TAKT_PLANT_INVALID: { what: 'the plant model has errors', remedy: 'correct the paths listed; every error is named' },
  TAKT_PLANT_UNREADABLE: { what: 'the plant file cannot be read', remedy: 'check the path and its permissions' },
  TAKT_PLANT_MISSING: { what: 'no plant model is configured', remedy: 'choose a plant in the node and deploy' },
  TAKT_EQUIPMENT_UNKNOWN: { what: 'the equipment is not in the plant model', remedy: 'add it to the plant model, or correct the topic or the id' },
  TAKT_SIGNAL_UNKNOWN: { what: 'the signal is not in the plant model', remedy: 'add it to the equipment, or correct the topic or the name' },

  // samples: values from machines
  TAKT_SAMPLE_SIGNAL_MISSING: {
    what: 'nothing says which signal the value belongs to',
    remedy: 'give a topic <equipment>/<signal>, or set the signal on the node',
  },
  TAKT_SAMPLE_VALUE_MISSING: { what: 'there is no value', remedy: "compare the value path with the sender's payload" },
  TAKT_SAMPLE_VALUE_NOT_FINITE: { what: 'the value is not a finite number', remedy: "check the gateway's scaling and the sensor's wiring" },
  TAKT_SAMPLE_VALUE_TYPE: { what: 'the value has the wrong type', remedy: "compare the value path and the signal's role with what the sender sends" },
  TAKT_SAMPLE_TIME_INVALID: { what: 'the source time cannot be read', remedy: 'send epoch milliseconds or ISO 8601 with an offset, or correct the time path' },
  TAKT_SAMPLE_TIME_FUTURE: { what: 'the source time lies in the future', remedy: "set the sender's clock (NTP), or widen the tolerance on the node" },
  TAKT_SAMPLE_TIME_ANCIENT: { what: 'the source time is too old', remedy: "set the sender's clock (NTP), or widen the tolerance on the node" },
  TAKT_SAMPLE_QUALITY_UNKNOWN: { what: 'the quality is not one that is known', remedy: 'send good, uncertain or bad, or an OPC UA status code' },
} as const satisfies Record<string, { readonly what: string; readonly remedy: string }>

export type ErrorCode = keyof typeof ERROR_CODES
