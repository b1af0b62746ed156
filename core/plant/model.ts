import { Type } from 'typebox'
import { ProcedureStep } from '../messages/procedure.ts'
import { Maintenance } from './maintenance.ts'
import { Need, PersonnelClass, Tool } from './resources.ts'

/**
 * The plant model as a person writes it (JSON or YAML): equipment, signals and their bindings, calendars, materials, work masters, set-ups, reasons.
 * This file holds the shapes only; `check-plant.ts` holds what a schema cannot say, `plant.ts` answers questions about a checked model.
 */

const Name = Type.String({ minLength: 1, maxLength: 200 })
const Path = Type.String({ minLength: 1, maxLength: 500, pattern: '^[^\\s+#]+$' })
const strict = { additionalProperties: false }

/** What a signal means to the nodes; `condition` is watched for anomalies, `characteristic` is measured quality. */
export const SIGNAL_ROLES = ['packml-state', 'packml-mode', 'job-order', 'good-count', 'scrap-count', 'condition', 'characteristic', 'other'] as const
export type SignalRole = (typeof SIGNAL_ROLES)[number]

const SparkplugDevice = Type.String({
  maxLength: 500,
  pattern: '^[^/+#]+/[^/+#]+(/[^/+#]+)?$',
  description: 'Sparkplug B: `<group>/<edge node>`, or `<group>/<edge node>/<device>`',
})

/** How a signal's values are carried: `guaranteed` survives every restart, `fast` costs least. Without it the signal's role decides. */
export const DELIVERIES = ['guaranteed', 'fast'] as const
export type Delivery = (typeof DELIVERIES)[number]

/**
 * Where a signal's values come from. MQTT: `topic`, with paths into a JSON payload. Sparkplug B: `device` and `metric`. OPC UA: `nodeId`, or for job order,
 * counts and state a `jobReceiver` (OPC 10031-4).
 * `connection` is the name of a broker or endpoint node.
 */
export const SignalSource = Type.Object(
  {
    connection: Name,
    topic: Type.Optional(Name),
    device: Type.Optional(SparkplugDevice),
    metric: Type.Optional(Name),
    jobReceiver: Type.Optional(Name),
    nodeId: Type.Optional(Name),
    deadband: Type.Optional(
      Type.Object(
        { absolute: Type.Optional(Type.Number({ exclusiveMinimum: 0 })), percent: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 100 })) },
        { ...strict, description: 'OPC UA: changes smaller than this are not sent; percent of the range that the server states' },
      ),
    ),
    delivery: Type.Optional(Type.Enum(DELIVERIES)),
    value: Type.Optional(Type.String({ description: 'path of the value in a JSON payload, `$.v`; without it the payload is the value' })),
    time: Type.Optional(Type.String({ description: 'path of the source time: epoch ms or ISO 8601' })),
    context: Type.Optional(
      Type.Object({ jobOrder: Type.Optional(Name), lot: Type.Optional(Name), serial: Type.Optional(Name), product: Type.Optional(Name) }, strict),
    ),
  },
  strict,
)
export type SignalSource = Type.Static<typeof SignalSource>

export const Signal = Type.Object(
  {
    name: Name,
    role: Type.Optional(Type.Enum(SIGNAL_ROLES)),
    unit: Type.Optional(Name),
    everyMs: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    staleAfterMs: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    rollover: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'a counter starts again at 0 when it would reach this' })),
    alarm: Type.Optional(Type.Object({ low: Type.Optional(Type.Number()), high: Type.Optional(Type.Number()) }, strict)),
    source: Type.Optional(SignalSource),
  },
  strict,
)
export type Signal = Type.Static<typeof Signal>

/**
 * How a machine is told something. MQTT: publish to `topic`, answer on `reply`. Sparkplug B: write `metric` of `device`.
 * OPC UA: call `methodId` of `objectId`, write `nodeId`, or hand the job to a `jobReceiver` (OPC 10031-4, ISA95JobOrderReceiver).
 */
export const CommandTarget = Type.Object(
  {
    connection: Name,
    topic: Type.Optional(Name),
    reply: Type.Optional(Name),
    device: Type.Optional(SparkplugDevice),
    metric: Type.Optional(Name),
    jobReceiver: Type.Optional(Name),
    objectId: Type.Optional(Name),
    methodId: Type.Optional(Name),
    nodeId: Type.Optional(Name),
  },
  strict,
)
export type CommandTarget = Type.Static<typeof CommandTarget>

export const EquipmentCommand = Type.Object(
  {
    name: Name,
    target: CommandTarget,
    interlock: Type.Optional(
      Type.String({ maxLength: 500, description: '`state = Idle`, `state in Idle, Complete`: the command is refused while the unit is in any other' }),
    ),
    roles: Type.Optional(Type.Array(Name)),
  },
  strict,
)
export type EquipmentCommand = Type.Static<typeof EquipmentCommand>

export const EQUIPMENT_LEVELS = ['enterprise', 'site', 'area', 'workCenter', 'workUnit'] as const

export const Equipment = Type.Object(
  {
    id: Path,
    level: Type.Enum(EQUIPMENT_LEVELS),
    name: Type.Optional(Name),
    classes: Type.Optional(Type.Array(Name)),
    calendar: Type.Optional(Name),
    upstream: Type.Optional(Type.Array(Path)),
    downstream: Type.Optional(Type.Array(Path)),
    signals: Type.Optional(Type.Array(Signal)),
    commands: Type.Optional(Type.Array(EquipmentCommand)),
    maintenance: Type.Optional(Maintenance),
  },
  strict,
)
export type Equipment = Type.Static<typeof Equipment>

const Clock24 = Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$|^24:00$' })
/** `days` is `Mon-Fri`, `Sat`, `Mon,Wed`; a shift whose `to` is not after `from` ends the next day. */
export const Shift = Type.Object(
  { name: Name, days: Type.String({ pattern: '^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)([-,](Mon|Tue|Wed|Thu|Fri|Sat|Sun))*$' }), from: Clock24, to: Clock24 },
  strict,
)
export type Shift = Type.Static<typeof Shift>

export const Calendar = Type.Object(
  {
    shifts: Type.Array(Shift),
    exceptions: Type.Optional(Type.Array(Type.Object({ date: Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' }), open: Type.Boolean() }, strict))),
  },
  strict,
)
export type Calendar = Type.Static<typeof Calendar>

export const Material = Type.Object({ id: Name, name: Type.Optional(Name), unit: Name, tracking: Type.Optional(Type.Enum(['none', 'lot', 'serial'])) }, strict)

export const Characteristic = Type.Object(
  {
    id: Name,
    unit: Type.Optional(Name),
    target: Type.Optional(Type.Number()),
    lower: Type.Optional(Type.Number()),
    upper: Type.Optional(Type.Number()),
    critical: Type.Optional(Type.Boolean({ description: 'a part outside the limits is rejected, never reworked' })),
    chart: Type.Optional(Type.Enum(['xbar-r', 'xbar-s', 'i-mr', 'p', 'np', 'c', 'u'])),
    every: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  strict,
)
export type Characteristic = Type.Static<typeof Characteristic>

/** Either a class, any unit of which will do, or one unit by its id. */
export const OperationAlternative = Type.Object(
  {
    class: Type.Optional(Name),
    equipment: Type.Optional(Path),
    setupMs: Type.Optional(Type.Number({ minimum: 0 })),
    perPieceMs: Type.Number({ exclusiveMinimum: 0 }),
    needs: Type.Optional(Type.Array(Need, { description: "instead of the operation's; `[]`: nothing but the unit" })),
  },
  strict,
)

export const Operation = Type.Object(
  {
    id: Name,
    name: Type.Optional(Name),
    after: Type.Optional(Type.Array(Name)),
    setupFamily: Type.Optional(Name),
    procedure: Type.Optional(Name),
    skills: Type.Optional(
      Type.Array(Name, { description: 'personnel classes, one person of each; without `personnel` in the model they say nothing to the scheduler' }),
    ),
    needs: Type.Optional(Type.Array(Need)),
    transferLot: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: 'pieces that go on together: the next operation may begin when so many were made' }),
    ),
    alternatives: Type.Array(OperationAlternative, { minItems: 1 }),
    consumes: Type.Optional(Type.Array(Type.Object({ material: Name, perPiece: Type.Number({ exclusiveMinimum: 0 }) }, strict))),
    characteristics: Type.Optional(Type.Array(Characteristic)),
  },
  strict,
)
export type Operation = Type.Static<typeof Operation>

export const WorkMaster = Type.Object(
  { id: Name, name: Type.Optional(Name), version: Type.Integer({ minimum: 1 }), produces: Name, operations: Type.Array(Operation, { minItems: 1 }) },
  strict,
)
export type WorkMaster = Type.Static<typeof WorkMaster>

/** How an operation is done, as its author writes it: brought along by the model, and in force only when somebody has approved it. */
export const PlantProcedure = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,59}$', description: 'its name, without a version' }),
    title: Type.Optional(Type.String({ maxLength: 200 })),
    why: Type.Optional(Type.String({ minLength: 1, maxLength: 1000, description: 'why it changes' })),
    steps: Type.Array(ProcedureStep, { minItems: 1, maxItems: 200 }),
  },
  strict,
)

export const PlantModel = Type.Object(
  {
    plant: Path,
    name: Type.Optional(Name),
    timeZone: Type.Optional(Name),
    equipment: Type.Array(Equipment),
    calendars: Type.Optional(Type.Record(Type.String(), Calendar)),
    personnel: Type.Optional(Type.Array(PersonnelClass)),
    tools: Type.Optional(Type.Array(Tool)),
    materials: Type.Optional(Type.Array(Material)),
    workMasters: Type.Optional(Type.Array(WorkMaster)),
    procedures: Type.Optional(Type.Array(PlantProcedure)),
    /** class → family before → family after → set-up time in ms */
    setups: Type.Optional(Type.Record(Type.String(), Type.Record(Type.String(), Type.Record(Type.String(), Type.Number({ minimum: 0 }))))),
    reasons: Type.Optional(
      Type.Array(Type.Object({ code: Name, text: Name, element: Type.Enum(['planned', 'unplanned', 'other']), group: Type.Optional(Name) }, strict)),
    ),
  },
  strict,
)
export type PlantModel = Type.Static<typeof PlantModel>
