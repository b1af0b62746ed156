import type { Type } from 'typebox'
import { Anomaly } from './anomaly.ts'
import { Command, Receipt } from './command.ts'
import { Containment } from './containment.ts'
import { Count } from './count.ts'
import { Disruption } from './disruption.ts'
import { ErpMessage } from './erp-message.ts'
import { Gap } from './gap.ts'
import { Genealogy } from './genealogy.ts'
import { JobOrder } from './job-order.ts'
import { JobResponse } from './job-response.ts'
import { Kpi } from './kpi.ts'
import { Lot } from './lot.ts'
import { MachineState } from './machine-state.ts'
import { OrderTemplate } from './order-template.ts'
import { Person } from './person.ts'
import { Plan } from './plan.ts'
import { Procedure } from './procedure.ts'
import { ProcedureRun } from './procedure-run.ts'
import { Prognosis } from './prognosis.ts'
import { QualityResult } from './quality-result.ts'
import { Quarantined } from './quarantined.ts'
import { Report } from './report.ts'
import { Sample } from './sample.ts'
import { Signature } from './signature.ts'
import { Trace } from './trace.ts'
import { WhatIf } from './what-if.ts'
import { WorkOrder } from './work-order.ts'
import { WorkPerformance } from './work-performance.ts'

/** Every document that travels on a wire, by its kind. The one definition behind type, schema, validator and docs/messages.md. */
export const DOCUMENTS = {
  sample: Sample,
  'machine-state': MachineState,
  count: Count,
  anomaly: Anomaly,
  prognosis: Prognosis,
  disruption: Disruption,
  'work-order': WorkOrder,
  'job-order': JobOrder,
  'job-response': JobResponse,
  'order-template': OrderTemplate,
  'work-performance': WorkPerformance,
  'erp-message': ErpMessage,
  plan: Plan,
  'what-if': WhatIf,
  'quality-result': QualityResult,
  lot: Lot,
  genealogy: Genealogy,
  containment: Containment,
  trace: Trace,
  kpi: Kpi,
  report: Report,
  person: Person,
  signature: Signature,
  procedure: Procedure,
  'procedure-run': ProcedureRun,
  command: Command,
  receipt: Receipt,
  quarantined: Quarantined,
  gap: Gap,
} as const

export type Kind = keyof typeof DOCUMENTS
export type DocumentOf<K extends Kind> = Type.Static<(typeof DOCUMENTS)[K]>
export type Document = { [K in Kind]: DocumentOf<K> }[Kind]
