import { createHash } from 'node:crypto'
import type { Report } from '../messages/report.ts'
import type { Plant } from '../plant/plant.ts'
import type { LedgerHead, Store, StoreReader } from '../store/store.ts'
import type { ReportContent } from './content.ts'
import { isoText } from './format.ts'
import type { OverviewSource } from './overview-source.ts'
import { renderCsv, renderJson } from './render-data.ts'
import { renderHtml } from './render-html.ts'
import type { ReportRequest } from './request.ts'
import { shiftReport } from './shift-report.ts'
import { type Made, workOrderReport } from './work-order-report.ts'

/** A report in its form, before it goes anywhere. */
export interface FinishedReport {
  /** The document of it, without a file and without the content. */
  readonly document: Report
  /** The bytes that `sha256` is over. */
  readonly text: string
  /** JSON as an object, other formats as text. */
  readonly content: unknown
  /** A name for a file: `shift-line-1-2025-11-25T0600.html`. */
  readonly name: string
}

export interface ReportSources {
  readonly store: Store
  readonly plant: Plant
  readonly overview: OverviewSource
}

/** Makes what is asked for. Throws TAKT_REPORT_SUBJECT_UNKNOWN, TAKT_REPORT_TABLE_UNKNOWN, TAKT_REPORT_REQUEST_INVALID. */
export async function makeReport(sources: ReportSources, request: ReportRequest, made: Made): Promise<FinishedReport> {
  if (request.type === 'overview') {
    const overview = await sources.overview.snapshot()
    const { head: sequence, hash } = overview.ledger
    return finish(request, 'overview', overview, { sequence, hash }, JSON.stringify(overview))
  }
  // in a transaction nothing is written meanwhile, so every figure speaks of the same moment
  const content = await sources.store.transaction((tx) => contentOf(tx, sources.plant, request, made))
  const data = request.format === 'json' ? renderJson(content) : undefined
  const text = data !== undefined ? `${JSON.stringify(data, null, 2)}\n` : request.format === 'html' ? renderHtml(content) : renderCsv(content, request.table)
  return finish({ ...request, subject: content.subject }, nameOf(content, request.table), data ?? text, content.ledger, text)
}

function contentOf(store: StoreReader, plant: Plant, request: ReportRequest, made: Made): Promise<ReportContent> {
  if (request.type === 'work-order') return workOrderReport(store, plant, request.subject, made)
  const { span, from, to } = request
  return shiftReport(store, plant, { ...made, scope: request.subject || plant.model.plant, span, from, to })
}

function finish({ type, subject, format }: ReportRequest, name: string, content: unknown, ledger: LedgerHead, text: string): FinishedReport {
  const sha256 = createHash('sha256').update(text).digest('hex')
  const document: Report = { kind: 'report', type, subject, format, file: null, sha256, ledger: { head: ledger.sequence, hash: ledger.hash } }
  return { document, content, text, name: `${name}.${format}` }
}

/** Work order reports replace each other; each shift has its own. */
function nameOf({ type, subject, from, timeZone }: ReportContent, table: string | undefined): string {
  const what = subject.slice(subject.lastIndexOf('/') + 1)
  const when = type === 'shift' && from !== null ? `-${isoText(from, timeZone).slice(0, 16).replace(':', '')}` : ''
  return `${type}-${what}${when}${table === undefined ? '' : `-${table}`}`.replace(/[^\w.-]+/g, '-')
}
