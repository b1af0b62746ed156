/**
 * What B2MML 7 in JSON allows where our messages write something: names, which of them must be there, which stand in lists, and words that are taken. Facts read from
 * the schema that MESA International publishes (the Business To Manufacturing Markup Language (B2MML) is used courtesy of MESA International); the file itself is not here.
 */
interface Part {
  readonly must: readonly string[]
  readonly single: readonly string[]
  readonly lists?: readonly string[]
}

const part = (must: string, single: string, lists = ''): Part => ({ must: words(must), single: words(single), lists: words(lists) })
const words = (text: string): string[] => text.split(' ').filter((word) => word !== '')
const SEGMENT = 'RequiredByRequestedSegmentResponse'

const PARTS: Readonly<Record<string, Part>> = {
  SyncWorkPerformance: part('ApplicationArea DataArea @releaseID', 'ApplicationArea DataArea @releaseID @versionID'),
  ApplicationArea: part('CreationDateTime', 'BODID CreationDateTime Sender Signature UserArea', 'Receiver'),
  Sender: part('', 'AuthorizationID ComponentID ConfirmationCode LogicalID ReferenceID TaskID'),
  DataArea: part('Sync WorkPerformance', 'Sync', 'WorkPerformance'),
  Sync: part('', '', 'ActionCriteria'),
  ActionCriteria: part('', 'ChangeStatus', 'ActionExpression'),
  ActionExpression: part('@actionCode', '$ @actionCode @expressionLanguage'),
  WorkPerformance: part(
    'ID WorkResponse WorkScheduleID',
    'EndTime HierarchyScope ID PublishedDate StartTime Version WorkScheduleID WorkState WorkType',
    'Description WorkPerformanceChild WorkResponse',
  ),
  WorkResponse: part(
    'ID JobResponse',
    `EndTime HierarchyScope ID PublishedDate ${SEGMENT} ResponseState StartTime Version WorkRequestID WorkType`,
    'Description JobResponse WorkResponseChild',
  ),
  JobResponse: part(
    'ID',
    `EndTime HierarchyScope ID JobOrderID JobState PublishedDate ${SEGMENT} StartTime Version WorkDirective WorkDirectiveVersion WorkMasterID WorkMasterVersion WorkType WorkflowSpecificationID WorkflowSpecificationNodeID`,
    'Description EquipmentActual JobResponseData MaterialActual PersonnelActual PhysicalAssetActual',
  ),
  HierarchyScope: part('EquipmentID', 'EquipmentElementLevel EquipmentID EquipmentLevel HierarchyScopeChild'),
  JobResponseData: part('ID', `HierarchyScope ID ${SEGMENT}`, 'Description SegmentDataChild Value'),
  PersonnelActual: part(
    'ID',
    `HierarchyScope ID OperationalLocation PersonnelUse ${SEGMENT} SpatialDefinition`,
    'Description PersonID PersonnelActualChild PersonnelActualProperty PersonnelClassID Quantity TestResult',
  ),
  PersonnelActualProperty: part('ID', `ID PersonPropertyID PersonnelClassPropertyID ${SEGMENT}`, 'Description PersonnelActualPropertyChild Quantity Value'),
  EquipmentActual: part(
    'ID',
    `EquipmentUse HierarchyScope ID OperationalLocation ${SEGMENT} SpatialDefinition`,
    'Description EquipmentActualChild EquipmentActualProperty EquipmentClassID EquipmentID Quantity TestResult',
  ),
  MaterialActual: part(
    'ID',
    `AssemblyRelationship AssemblyType HierarchyScope ID MaterialUse ${SEGMENT} SpatialDefinition StorageLocation`,
    'AssemblyActual Description MaterialActualProperty MaterialClassID MaterialDefinitionID MaterialLotID MaterialSubLotID Quantity TestResult',
  ),
  Quantity: part('QuantityString', 'DataType Key QuantityString UnitOfMeasure'),
  Value: part('ValueString', 'DataType Key UnitOfMeasure ValueString'),
}

const STATES = words('Waiting Ready Running Completed Aborted Held Paused Suspended Closed Other')
const WORDS: Readonly<Record<string, readonly string[]>> = {
  WorkType: words('Production Maintenance Quality Inventory Mixed Other'),
  WorkState: STATES,
  ResponseState: STATES,
  JobState: STATES,
  MaterialUse: words('Consumable Consumed Produced Inventoried Other'),
  DataType: words('string boolean decimal double duration dateTime'),
  '@actionCode': words('Add Change Delete'),
}

/** What is wrong in a B2MML message, each with its path; an empty list for one that is right. */
export function b2mmlFaults(message: unknown): string[] {
  const root = Object.keys(message as object)
  return root.length === 1 && PARTS[root[0]!] !== undefined ? faultsOf(root[0]!, (message as Record<string, unknown>)[root[0]!], root[0]!) : ['no message']
}

function faultsOf(name: string, value: unknown, path: string): string[] {
  const known = PARTS[name]
  if (known === undefined) {
    if (typeof value !== 'string' || value === '') return [`${path} is no text`]
    if (WORDS[name]?.includes(value) === false) return [`${path} is '${value}'`]
    return /(Time|Date)$/.test(name) && !/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(value) ? [`${path} is no time`] : []
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path} is no object`]
  const missing = known.must.filter((must) => !Object.hasOwn(value, must)).map((must) => `${path} has no ${must}`)
  return [...missing, ...Object.entries(value).flatMap(([key, inner]) => inside(known, key, inner, `${path}.${key}`))]
}

function inside(known: Part, key: string, value: unknown, path: string): string[] {
  if (known.single.includes(key)) return Array.isArray(value) ? [`${path} is a list`] : faultsOf(key, value, path)
  if (!known.lists?.includes(key)) return [`${path} is not known`]
  if (!Array.isArray(value)) return [`${path} is no list`]
  return [
    ...(value.length === 0 && /^(WorkPerformance|WorkResponse|JobResponse)$/.test(key) ? [`${path} is empty`] : []),
    ...value.flatMap((item, at) => faultsOf(key, item, `${path}[${at}]`)),
  ]
}
