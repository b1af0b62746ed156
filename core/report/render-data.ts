import { TaktError } from '../base/error.ts'
import type { Cell, ReportContent, Section, TableSection } from './content.ts'
import { isoText, plainKey, plainValue } from './format.ts'

/** The report as plain data for programs: one property a section, times ISO 8601 with offset, durations ms. */
export function renderJson(content: ReportContent): Record<string, unknown> {
  const { timeZone } = content
  const time = (value: number | null): string | null => (value === null ? null : isoText(value, timeZone))
  return {
    report: content.type,
    subject: content.subject,
    title: content.title,
    status: content.status?.text ?? null,
    plant: content.plant,
    from: time(content.from),
    to: time(content.to),
    made: time(content.made),
    by: content.by,
    ledger: { head: content.ledger.sequence, hash: content.ledger.hash },
    ...Object.fromEntries(content.sections.map((section) => [section.id, sectionData(section, timeZone)])),
  }
}

function sectionData(section: Section, timeZone: string): unknown {
  switch (section.kind) {
    case 'facts':
      return Object.fromEntries(section.facts.map(({ key, type, value }) => [plainKey(key, type), plainValue(value, type, timeZone)]))
    case 'table':
      return section.rows.map((row) =>
        Object.fromEntries(section.columns.map(({ key, type }) => [plainKey(key, type), plainValue(row[key] ?? null, type, timeZone)])),
      )
    case 'timeline':
      return section.rows.map(({ label, spans }) => ({
        label,
        spans: spans.map(({ from, to, series, text }) => ({ from: isoText(from, timeZone), to: isoText(to, timeZone), series, text })),
      }))
    case 'shares':
      return section.rows.map(({ label, parts }) => ({ label, ...Object.fromEntries(parts.map(({ series, ms }) => [`${series}Ms`, ms])) }))
  }
}

/**
 * One table of the report as CSV (RFC 4180: comma, CRLF, quotes doubled, a header line). Text that a spreadsheet would take for a formula
 * is set behind an apostrophe. Throws TAKT_REPORT_TABLE_UNKNOWN.
 */
export function renderCsv(content: ReportContent, table: string = content.mainTable): string {
  const tables = content.sections.filter((section): section is TableSection => section.kind === 'table')
  const section = tables.find(({ id }) => id === table)
  if (section === undefined) {
    const known = tables.map(({ id }) => id).join(', ')
    throw new TaktError('TAKT_REPORT_TABLE_UNKNOWN', { what: `a ${content.type} report has no table '${table}', only ${known}`, where: content.title })
  }
  const lines = [section.columns.map(({ key, type, unit }) => csvField(unit === undefined ? plainKey(key, type) : `${plainKey(key, type)} [${unit}]`))]
  for (const row of section.rows) lines.push(section.columns.map(({ key, type }) => csvField(plainValue(row[key] ?? null, type, content.timeZone))))
  return lines.map((fields) => `${fields.join(',')}\r\n`).join('')
}

/** Text that begins like a formula would be run by the spreadsheet that opens it. */
const FORMULA = /^[=+\-@\t\r\n]/

export function csvField(value: Cell): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const guarded = FORMULA.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded
}
