import {
  BIZ_STEPS,
  BIZ_TRANSACTION_TYPES,
  COMPONENTS,
  DISPOSITIONS,
  ERROR_REASONS,
  MEASUREMENTS,
  SENSOR_ALERTS,
  SOURCE_DESTINATION_TYPES,
} from './vocabulary.ts'

/** What is wrong in an EPCIS document, and where: a JSON pointer. */
export interface Fault {
  readonly path: string
  readonly what: string
}

type Fields = Readonly<Record<string, unknown>>
type Check = (value: unknown, path: string, faults: Fault[]) => void

/**
 * Checks an EPCIS 2.0 document in JSON or JSON-LD (GS1 EPCIS 2.0 section 10, and its JSON binding): an EPCISDocument, an EPCISQueryDocument, or one event with its
 * `@context`. It asks what the standard's JSON schema asks, formats of URIs and times included, and says for each fault where it is.
 */
export function checkEpcis(document: unknown): readonly Fault[] {
  const faults: Fault[] = []
  const type = isObject(document) ? document.type : undefined
  if (type === 'EPCISDocument') checkDocument(document, '', faults)
  else if (type === 'EPCISQueryDocument') checkQueryDocument(document, '', faults)
  else {
    event(document, '', faults)
    if (isObject(document) && document['@context'] === undefined) fault(faults, '/@context', 'is missing')
  }
  return faults
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may stand in a URI
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[^\s\u0000-\u001f\u007f<>"{}|\\^`]+$/
const TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/
const OFFSET = /^[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00)$/
const STANDARD_WORDS = /^(urn:epcglobal:cbv|https?:\/\/ns\.gs1\.org\/cbv\/)/
const WEB_VOCABULARY = /^https?:\/\/(www\.)?gs1\.org\/voc\//
const LONGEST_URI = 2000

export function isUri(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_URI && URI.test(value) && value.isWellFormed()
}

function fault(faults: Fault[], path: string, what: string): void {
  faults.push({ path: path === '' ? '/' : path, what })
}

export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : (JSON.stringify(value) ?? String(value)).slice(0, 60)
}

const uri: Check = (value, path, faults) => {
  if (!isUri(value)) fault(faults, path, `is ${shown(value)} where a URI is taken`)
}
const time: Check = (value, path, faults) => {
  if (typeof value !== 'string' || !TIME.test(value) || Number.isNaN(Date.parse(value)))
    fault(faults, path, `is ${shown(value)} where a time with an offset is taken`)
}
const text: Check = (value, path, faults) => {
  if (typeof value !== 'string') fault(faults, path, `is ${shown(value)} where a text is taken`)
}
const number: Check = (value, path, faults) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) fault(faults, path, `is ${shown(value)} where a number is taken`)
}
const boolean: Check = (value, path, faults) => {
  if (typeof value !== 'boolean') fault(faults, path, `is ${shown(value)} where true or false is taken`)
}

function matching(pattern: RegExp, what: string): Check {
  return (value, path, faults) => {
    if (typeof value !== 'string' || !pattern.test(value)) fault(faults, path, `is ${shown(value)} where ${what} is taken`)
  }
}

/** A word of the vocabulary, or a URI of somebody else's. */
function word(words: ReadonlySet<string>, what: string, reserved = STANDARD_WORDS): Check {
  return (value, path, faults) => {
    if (typeof value === 'string' && (words.has(value) || (isUri(value) && !reserved.test(value)))) return
    fault(faults, path, `is ${shown(value)} where ${what} of the vocabulary in its short form, or a URI of your own, is taken`)
  }
}

function list(check: Check, least = 0, unique = false): Check {
  return (value, path, faults) => {
    if (!Array.isArray(value)) return fault(faults, path, `is ${shown(value)} where a list is taken`)
    if (value.length < least) fault(faults, path, `has ${value.length} entries where ${least} or more are taken`)
    if (unique && new Set(value.map((item) => JSON.stringify(item))).size < value.length) fault(faults, path, 'has an entry twice')
    for (const [index, item] of value.entries()) check(item, `${path}/${index}`, faults)
  }
}

function oneOrMore(check: Check): Check {
  return (value, path, faults) => (Array.isArray(value) ? list(check)(value, path, faults) : check(value, path, faults))
}

interface Shape {
  readonly fields: Readonly<Record<string, Check>>
  readonly required?: readonly string[]
  /** Other names: those with a namespace (the rule), none, or any. */
  readonly others?: 'namespaced' | 'none' | 'any'
}

function object({ fields, required = [], others = 'namespaced' }: Shape): Check {
  return (value, path, faults) => {
    if (!isObject(value)) return fault(faults, path, `is ${shown(value)} where an object is taken`)
    for (const name of required) if (value[name] === undefined) fault(faults, `${path}/${pointer(name)}`, 'is missing')
    for (const [name, inner] of Object.entries(value)) {
      const check = Object.hasOwn(fields, name) ? fields[name] : undefined
      if (check !== undefined) check(inner, `${path}/${pointer(name)}`, faults)
      else if (others === 'none' || (others === 'namespaced' && !isUri(name)))
        fault(
          faults,
          `${path}/${pointer(name)}`,
          others === 'none' ? 'is no field of this' : 'is no field of EPCIS, and an extension has a namespace (name:field)',
        )
    }
  }
}

function pointer(name: string): string {
  return name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')
}

const context: Check = (value, path, faults) => {
  const one: Check = (entry, at) => {
    if (!isObject(entry) && !isUri(entry)) fault(faults, at, `is ${shown(entry)} where a URI or an object is taken`)
  }
  if (Array.isArray(value)) list(one, 0, true)(value, path, faults)
  else one(value, path, faults)
}

const disposition = word(DISPOSITIONS, 'a disposition')
const place = object({ fields: { id: uri }, required: ['id'], others: 'any' })
const quantityElement = object({
  fields: { epcClass: uri, quantity: number, uom: matching(/^[A-Z0-9]{2,3}$/, 'a unit of UN/ECE recommendation 20') },
  required: ['epcClass'],
  others: 'none',
})
const dispositions = list(disposition, 1, true)
const persistent = object({ fields: { set: dispositions, unset: dispositions }, others: 'none' })
const persistentDisposition: Check = (value, path, faults) => {
  persistent(value, path, faults)
  if (isObject(value) && value.set === undefined && value.unset === undefined) fault(faults, path, 'has neither set nor unset')
}
const bizTransaction = object({
  fields: { type: word(BIZ_TRANSACTION_TYPES, 'a business transaction type'), bizTransaction: uri },
  required: ['bizTransaction'],
  others: 'none',
})
const partyType = word(SOURCE_DESTINATION_TYPES, 'a source or destination type')
const source = object({ fields: { type: partyType, source: uri }, required: ['type', 'source'], others: 'none' })
const destination = object({ fields: { type: partyType, destination: uri }, required: ['type', 'destination'], others: 'none' })
const sensorMetadata = object({
  fields: {
    time,
    deviceID: uri,
    deviceMetadata: uri,
    rawData: uri,
    startTime: time,
    endTime: time,
    dataProcessingMethod: uri,
    bizRules: uri,
  },
})
const sensorReport = object({
  fields: {
    type: word(MEASUREMENTS, 'a kind of measurement', WEB_VOCABULARY),
    exception: word(SENSOR_ALERTS, 'a sensor alert', WEB_VOCABULARY),
    deviceID: uri,
    deviceMetadata: uri,
    rawData: uri,
    dataProcessingMethod: uri,
    bizRules: uri,
    time,
    microorganism: uri,
    chemicalSubstance: uri,
    coordinateReferenceSystem: uri,
    value: number,
    component: word(COMPONENTS, 'a component'),
    stringValue: text,
    booleanValue: boolean,
    hexBinaryValue: matching(/^[A-Fa-f0-9]+$/, 'a hexadecimal text'),
    uriValue: uri,
    minValue: number,
    maxValue: number,
    meanValue: number,
    sDev: number,
    percRank: number,
    percValue: number,
    uom: text,
  },
  required: ['type'],
})
const sensorElement = object({ fields: { sensorMetadata, sensorReport: list(sensorReport, 1) }, required: ['sensorReport'] })
const errorDeclaration = object({
  fields: { declarationTime: time, reason: word(ERROR_REASONS, 'an error reason'), correctiveEventIDs: list(uri) },
  required: ['declarationTime'],
})

const COMMON: Readonly<Record<string, Check>> = {
  '@context': context,
  type: text,
  eventTime: time,
  recordTime: time,
  eventTimeZoneOffset: matching(OFFSET, 'an offset such as +01:00'),
  eventID: uri,
  certificationInfo: oneOrMore(uri),
  errorDeclaration,
}
const WHERE_AND_WHY: Readonly<Record<string, Check>> = {
  ...COMMON,
  bizStep: word(BIZ_STEPS, 'a business step'),
  disposition,
  readPoint: place,
  bizLocation: place,
  bizTransactionList: list(bizTransaction),
  sourceList: list(source),
  destinationList: list(destination),
  sensorElementList: list(sensorElement),
}
const action = matching(/^(OBSERVE|ADD|DELETE)$/, 'OBSERVE, ADD or DELETE')
const epcs = list(uri, 0, true)
const quantities = list(quantityElement)
const ilmd = object({ fields: {} })
const children: Readonly<Record<string, Check>> = { parentID: uri, childEPCs: list(uri), childQuantityList: quantities, action }
const REQUIRED = ['eventTime', 'eventTimeZoneOffset']

const EVENTS: Readonly<Record<string, { readonly shape: Check; readonly also: (event: Fields, path: string, faults: Fault[]) => void }>> = {
  ObjectEvent: {
    shape: object({
      fields: { ...WHERE_AND_WHY, epcList: epcs, quantityList: quantities, action, persistentDisposition, ilmd },
      required: [...REQUIRED, 'action'],
    }),
    also(event, path, faults) {
      const sensed = filled(event.sensorElementList) && event.readPoint !== undefined
      if (event.epcList === undefined && !filled(event.quantityList) && !sensed)
        fault(faults, path, 'has no epcList, no quantityList and no sensorElementList with a readPoint')
      if (event.ilmd !== undefined && event.action !== 'ADD') fault(faults, `${path}/ilmd`, 'is taken with the action ADD only')
    },
  },
  AggregationEvent: {
    shape: object({ fields: { ...WHERE_AND_WHY, ...children }, required: [...REQUIRED, 'action'] }),
    also: needsChildren,
  },
  AssociationEvent: {
    shape: object({ fields: { ...WHERE_AND_WHY, ...children }, required: [...REQUIRED, 'action', 'parentID'] }),
    also: needsChildren,
  },
  TransactionEvent: {
    shape: object({
      fields: { ...WHERE_AND_WHY, bizTransactionList: list(bizTransaction, 1), parentID: uri, epcList: list(uri), quantityList: quantities, action },
      required: [...REQUIRED, 'bizTransactionList', 'action'],
    }),
    also(event, path, faults) {
      if (event.epcList === undefined && !filled(event.quantityList) && event.action !== 'DELETE') fault(faults, path, 'has neither epcList nor quantityList')
    },
  },
  TransformationEvent: {
    shape: object({
      fields: {
        ...WHERE_AND_WHY,
        inputEPCList: epcs,
        inputQuantityList: quantities,
        outputEPCList: epcs,
        outputQuantityList: quantities,
        transformationID: uri,
        persistentDisposition,
        ilmd,
      },
      required: REQUIRED,
    }),
    also(event, path, faults) {
      const inputs = filled(event.inputEPCList) || filled(event.inputQuantityList)
      const outputs = filled(event.outputEPCList) || filled(event.outputQuantityList)
      if (inputs && outputs) return
      if (event.transformationID === undefined) fault(faults, path, `has no ${inputs ? 'outputs' : 'inputs'}, and no transformationID that joins it to others`)
      else if (!inputs && !outputs) fault(faults, path, 'has neither inputs nor outputs')
    },
  },
}

const EXTENDED = object({ fields: { ...COMMON, type: uri }, required: ['type', ...REQUIRED], others: 'any' })

const event: Check = (value, path, faults) => {
  const type = isObject(value) ? value.type : undefined
  if (!isObject(value) || type === undefined)
    return fault(faults, isObject(value) ? `${path}/type` : path, `is ${shown(isObject(value) ? undefined : value)} where an event is taken`)
  const known = typeof type === 'string' && Object.hasOwn(EVENTS, type) ? EVENTS[type] : undefined
  if (known === undefined) return EXTENDED(value, path, faults)
  known.shape(value, path, faults)
  known.also(value, path, faults)
}

function needsChildren(event: Fields, path: string, faults: Fault[]): void {
  if (!filled(event.childEPCs) && !filled(event.childQuantityList) && event.action !== 'DELETE')
    fault(faults, path, 'has neither childEPCs nor childQuantityList')
}

function filled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0
}

const vocabularyElement = object({
  fields: { id: uri, attributes: list(object({ fields: { id: uri }, required: ['id'], others: 'any' })), children: list(uri) },
  required: ['id'],
  others: 'any',
})
const vocabularies = list(object({ fields: { type: uri, vocabularyElementList: list(vocabularyElement) }, required: ['type'], others: 'any' }))
const header = object({ fields: { epcisMasterData: object({ fields: { vocabularyList: vocabularies }, others: 'any' }) } })
const version = matching(/^\d+(\.\d+)*$/, 'a version')
const events = list(event)

const checkDocument = object({
  fields: {
    '@context': context,
    id: uri,
    type: text,
    schemaVersion: version,
    creationDate: time,
    instanceIdentifier: text,
    sender: text,
    receiver: text,
    epcisHeader: header,
    epcisBody: object({ fields: { eventList: events }, required: ['eventList'], others: 'any' }),
  },
  required: ['@context', 'schemaVersion', 'creationDate', 'epcisBody'],
})

const resultsBody = object({ fields: { eventList: events, vocabularyList: vocabularies }, required: ['eventList'] })
const queryResults = object({ fields: { queryName: text, subscriptionID: text, resultsBody }, required: ['queryName', 'resultsBody'] })
const checkQueryDocument = object({
  fields: {
    '@context': context,
    id: uri,
    type: text,
    schemaVersion: version,
    creationDate: time,
    epcisBody: object({ fields: { queryResults }, required: ['queryResults'] }),
  },
  required: ['@context', 'epcisBody'],
})
