import type { JobResponse } from '../../messages/job-response.ts'
import { type JobResponseRecord, type PlainValue, parameterOf } from './job-record.ts'

/** Names under which machines give their counts: the standard leaves them open. */
const GOOD = ['Good', 'GoodCount', 'GoodQuantity', 'ProducedGood', 'OutputGood', 'Quantity']
const SCRAP = ['Scrap', 'ScrapCount', 'ScrapQuantity', 'Bad', 'Rejected', 'Waste']

/** What a machine has made under a job order, as far as it says: from its data, else from the materials that it produced. */
export function quantitiesOf({ data, materials = [] }: JobResponseRecord): { readonly good: number | undefined; readonly scrap: number | undefined } {
  const named = (names: readonly string[]): number | undefined => names.map((name) => countOf(parameterOf(data, name))).find((count) => count !== undefined)
  const produced = (uses: RegExp): number | undefined => {
    const counts = materials.flatMap(({ use, quantity }) => (use !== undefined && uses.test(use) ? (countOf(quantity) ?? []) : []))
    return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0)
  }
  return { good: named(GOOD) ?? produced(/^(material ?)?produced$/i), scrap: named(SCRAP) ?? produced(/scrap|waste/i) }
}

/** A machine's response as a document. The work order is the parameter `WorkOrder` where the machine says one, else the job order itself. */
export function documentOfResponse(response: JobResponseRecord, equipment: string): JobResponse {
  const { good = 0, scrap = 0 } = quantitiesOf(response)
  const { jobOrder, id, start, end, personnel = [], data = [] } = response
  const workOrder = parameterOf(data, 'WorkOrder')
  return {
    kind: 'job-response',
    id: id === '' ? `jr-${jobOrder}` : id,
    jobOrder,
    workOrder: typeof workOrder === 'string' && workOrder !== '' ? workOrder : jobOrder,
    equipment,
    start: start ?? null,
    end: end ?? null,
    good,
    scrap,
    materials: [],
    people: personnel.map((person) => person.id),
    data: data.flatMap(({ id: name, value }) => (typeof value === 'object' ? [] : [{ name, value }])),
    state: response.state === 'Aborted' ? 'Aborted' : response.substate === 'Closed' ? 'Closed' : 'Completed',
  }
}

function countOf(value: PlainValue | undefined): number | undefined {
  if (value === undefined || value === null || value === '' || typeof value === 'boolean') return undefined
  const count = Number(value)
  return Number.isFinite(count) && count >= 0 ? count : undefined
}
