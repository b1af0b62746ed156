import { isoText } from '../base/iso-text.ts'
import type { WorkPerformance } from '../messages/work-performance.ts'

type Job = WorkPerformance['jobs'][number]
type Json = Readonly<Record<string, unknown>>

export interface B2mmlOptions {
  /** Replaces an earlier one that the ERP has. */
  readonly correction: boolean
  /** Times are written with the offset of this zone. */
  readonly timeZone: string
}

/**
 * A SyncWorkPerformance message of B2MML in JSON, as version 7 has its names and structure: one work response with a job response for each job order that is told of.
 * Set-up and run times, good and scrap are job response data; what nobody knows is left out.
 */
export function b2mmlPerformance(performance: WorkPerformance, { correction, timeZone }: B2mmlOptions): unknown {
  const { id, version, plant, time, workOrder } = performance
  const at = (moment: number): string => isoText(moment, timeZone)
  const number = workOrder.external?.id ?? workOrder.id
  const workType = workOrder.type === 'maintenance' ? 'Maintenance' : 'Production'
  const span = (start: number | null | undefined, end: number | null | undefined): Json => ({ ...told('StartTime', start, at), ...told('EndTime', end, at) })
  const jobs = performance.jobs.map((job) => jobResponse(job, performance, workType, at))
  const state = STATES[workOrder.state ?? 'none']
  const whole = span(workOrder.start ?? performance.jobs[0]?.start, workOrder.end ?? performance.jobs.at(-1)?.end)
  return {
    SyncWorkPerformance: {
      '@releaseID': 'B2MML-V0700',
      ApplicationArea: { Sender: { LogicalID: plant, ComponentID: 'Takt' }, CreationDateTime: at(time), BODID: id },
      DataArea: {
        Sync: { ActionCriteria: [{ ActionExpression: [{ '@actionCode': correction ? 'Change' : 'Add', $: '/WorkPerformance' }] }] },
        WorkPerformance: [
          {
            ID: id,
            Version: String(version),
            HierarchyScope: { EquipmentID: plant },
            WorkType: workType,
            ...whole,
            // the schedule is known by the system that sent it
            WorkScheduleID: workOrder.external?.system ?? plant,
            ...(state === undefined ? {} : { WorkState: state }),
            PublishedDate: at(time),
            WorkResponse: [
              {
                ID: workOrder.id,
                Description: describe(workOrder),
                WorkType: workType,
                WorkRequestID: number,
                ...whole,
                ...(state === undefined ? {} : { ResponseState: state }),
                // a response holds one job response at least: of an order that was given up before anything was done it says just that
                JobResponse: jobs.length > 0 ? jobs : [{ ID: workOrder.id, WorkType: workType, Description: ['nothing was done'], JobState: 'Aborted' }],
              },
            ],
          },
        ],
      },
    },
  }
}

const STATES: Readonly<Record<string, string>> = { Completed: 'Completed', Closed: 'Closed', Canceled: 'Aborted' }

function describe({ type, into }: WorkPerformance['workOrder']): string[] {
  return [...(type === 'rework' ? ['rework'] : []), ...(into === undefined ? [] : [`merged into ${into}`])]
}

function jobResponse(job: Job, { workOrder }: WorkPerformance, workType: string, at: (time: number) => string): Json {
  const [master, version] = workOrder.workMaster?.split('@') ?? []
  const number = (id: string, value: number): Json => datum(id, String(value), 'decimal', job.unit)
  const spent = (id: string, ms: number | null): Json[] => (ms === null ? [] : [datum(id, durationText(ms), 'duration')])
  return {
    ID: job.id,
    Description: [job.operation],
    WorkType: workType,
    JobOrderID: job.jobOrder,
    ...(master === undefined ? {} : { WorkMasterID: master, ...(version === undefined ? {} : { WorkMasterVersion: version }) }),
    ...told('StartTime', job.start, at),
    ...told('EndTime', job.end, at),
    JobState: job.state,
    JobResponseData: [
      number('Good', job.good),
      number('Scrap', job.scrap),
      ...spent('SetupTime', job.setupMs),
      ...spent('RunTime', job.runMs),
      ...job.data.map(({ name, value }) => datum(name, String(value), DATA_TYPES[typeof value] ?? 'string')),
    ],
    ...(job.personnel.length === 0 ? {} : { PersonnelActual: job.personnel.map((person, at0) => personnelActual(person, at0, at)) }),
    ...(job.equipment === null ? {} : { EquipmentActual: [{ ID: job.equipment, EquipmentID: [job.equipment] }] }),
    ...(job.materials.length === 0 ? {} : { MaterialActual: job.materials.map(materialActual) }),
  }
}

const DATA_TYPES: Readonly<Record<string, string>> = { number: 'double', boolean: 'boolean' }

function personnelActual({ person, from, to }: Job['personnel'][number], index: number, at: (time: number) => string): Json {
  const property = (id: string, time: number | null): Json[] => (time === null ? [] : [{ ID: id, Value: [value(at(time), 'dateTime')] }])
  const seen = [...property('FirstSeen', from), ...property('LastSeen', to)]
  return { ID: String(index + 1), PersonID: [person.replace(/^person:/, '')], ...(seen.length === 0 ? {} : { PersonnelActualProperty: seen }) }
}

function materialActual({ lot, material, use, quantity }: Job['materials'][number], index: number): Json {
  return {
    ID: String(index + 1),
    ...(material === undefined ? {} : { MaterialDefinitionID: [material] }),
    MaterialLotID: [lot],
    MaterialUse: use === 'consumed' ? 'Consumed' : 'Produced',
    Quantity: [{ QuantityString: String(quantity.value), DataType: 'decimal', UnitOfMeasure: quantity.unit }],
  }
}

function datum(id: string, text: string, type: string, unit?: string): Json {
  return { ID: id, Value: [value(text, type, unit)] }
}

function value(text: string, type: string, unit?: string): Json {
  return { ValueString: text, DataType: type, ...(unit === undefined ? {} : { UnitOfMeasure: unit }) }
}

function told(name: string, time: number | null | undefined, at: (time: number) => string): Json {
  return time === null || time === undefined ? {} : { [name]: at(time) }
}

/** `PT1H2M3.5S`. */
function durationText(ms: number): string {
  const [hours, minutes, seconds] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, Number(((ms % 60_000) / 1000).toFixed(3))]
  const text = `${hours > 0 ? `${hours}H` : ''}${minutes > 0 ? `${minutes}M` : ''}${seconds > 0 ? `${seconds}S` : ''}`
  return `PT${text === '' ? '0S' : text}`
}
