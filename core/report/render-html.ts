import type { Badge, Column, Fact, FactsSection, ReportContent, Row, Section, Series, SharesSection, TableSection, TimelineSection, Tone } from './content.ts'
import { SERIES } from './content.ts'
import { cellText, clockText, durationText, isoText, longTimeText, NOTHING, percentText, timeText } from './format.ts'
import { STYLE } from './style.ts'

/**
 * The report as one HTML file: no script, nothing loaded from elsewhere (its own policy forbids both), readable on a screen and printed on A4.
 * Whatever comes from data goes through `escapeHtml`.
 */
export function renderHtml(content: ReportContent): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="generator" content="Takt">
<title>${escapeHtml(`${content.title} – ${content.plant}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${header(content)}
${content.sections.map((section) => sectionHtml(section, content.timeZone)).join('\n')}
${footer(content)}
</main>
</body>
</html>
`
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '')
}

function header(content: ReportContent): string {
  const { from, to, timeZone } = content
  const span =
    from === null || to === null ? '' : `<p class="span">${timeTag(from, longTimeText(from, timeZone), timeZone)} – ${spanEnd(from, to, timeZone)}</p>`
  return `<header>
<div class="brand"><span class="mark" aria-hidden="true"></span>${escapeHtml(content.plant)}</div>
<div class="title"><h1>${escapeHtml(content.title)}</h1>${content.status === null ? '' : badge(content.status)}</div>
<p class="subtitle">${escapeHtml(content.subtitle)}</p>
${span}
</header>`
}

/** The end without its date when that is the date of the beginning. */
function spanEnd(from: number, to: number, timeZone: string): string {
  const long = longTimeText(to, timeZone)
  const sameDay = long.split(',')[0] === longTimeText(from, timeZone).split(',')[0] && to - from < 86_400_000
  return timeTag(to, sameDay ? clockText(to, timeZone) : long, timeZone)
}

function footer(content: ReportContent): string {
  const { timeZone, ledger } = content
  return `<footer>
<p>Made ${timeTag(content.made, longTimeText(content.made, timeZone), timeZone)} (${escapeHtml(timeZone)}) by ${escapeHtml(content.by)}.
It speaks of the records up to event ${ledger.sequence} of the ledger:</p>
<p class="hash">${escapeHtml(ledger.hash)}</p>
</footer>`
}

function sectionHtml(section: Section, timeZone: string): string {
  const body = {
    facts: () => factsHtml(section as FactsSection, timeZone),
    table: () => tableHtml(section as TableSection, timeZone),
    timeline: () => timelineHtml(section as TimelineSection, timeZone),
    shares: () => sharesHtml(section as SharesSection),
  }[section.kind]()
  const note = section.note === undefined ? '' : `<p class="note">${escapeHtml(section.note)}</p>`
  const long = section.kind === 'table' && section.rows.length > 8 ? ' class="long"' : ''
  return `<section id="${escapeHtml(section.id)}"${long}>
<h2>${escapeHtml(section.title)}</h2>
${body}${note}
</section>`
}

function factsHtml({ display, facts }: FactsSection, timeZone: string): string {
  // rows of the same length: 8 tiles are 4 and 4
  const columns = facts.length > 6 ? Math.ceil(facts.length / 2) : facts.length
  return `<dl class="${display}" style="--columns:${columns}">${facts.map((fact) => factHtml(fact, timeZone)).join('')}</dl>`
}

function factHtml(fact: Fact, timeZone: string): string {
  const { type, value, unit } = fact
  const missing = value === null || value === ''
  const suffix = unit === undefined || missing ? '' : ` <small>${escapeHtml(unit)}</small>`
  const note = fact.note === undefined ? '' : `<small class="under">${escapeHtml(fact.note)}</small>`
  const classes = [`type-${type}`, ...(fact.tone === undefined ? [] : [fact.tone])].join(' ')
  return `<div><dt>${escapeHtml(fact.label)}</dt><dd class="${classes}">${valueHtml(value, type, timeZone)}${suffix}${note}</dd></div>`
}

function tableHtml(section: TableSection, timeZone: string): string {
  const { rows, totals } = section
  const columns = section.columns.filter(({ dataOnly }) => dataOnly !== true)
  if (rows.length === 0) return `<p class="empty">${escapeHtml(section.empty)}</p>`
  const head = columns.map((column) => `<th scope="col" class="type-${column.type}">${escapeHtml(column.label)}${unitOf(column)}</th>`).join('')
  const foot = totals === undefined ? '' : `<tfoot>${rowHtml(totals, columns, timeZone, true)}</tfoot>`
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${rows.map((row) => rowHtml(row, columns, timeZone, false)).join('')}</tbody>${foot}</table></div>`
}

function unitOf(column: Column): string {
  return column.unit === undefined ? '' : ` <small>${escapeHtml(column.unit)}</small>`
}

function rowHtml(row: Row, columns: readonly Column[], timeZone: string, isTotal: boolean): string {
  const cells = columns.map(({ key, type }, index) => {
    // a total says nothing of a column that does not add up
    const html = isTotal && !Object.hasOwn(row, key) ? '' : valueHtml(row[key] ?? null, type, timeZone)
    return index === 0 ? `<th scope="row" class="type-${type}">${html}</th>` : `<td class="type-${type}">${html}</td>`
  })
  return `<tr>${cells.join('')}</tr>`
}

function valueHtml(value: Row[string], type: Column['type'], timeZone: string): string {
  if (value === null || value === '') return `<span class="none">${NOTHING}</span>`
  const text = cellText(value, type, timeZone)
  if (typeof value === 'number' && (type === 'time' || type === 'moment')) return timeTag(value, text, timeZone)
  if (type === 'state') return badge({ text, tone: toneOf(text) })
  return escapeHtml(text)
}

function timeTag(time: number, text: string, timeZone: string): string {
  return `<time datetime="${isoText(time, timeZone)}">${escapeHtml(text)}</time>`
}

function badge({ text, tone }: Badge): string {
  return `<span class="badge ${tone}">${escapeHtml(text)}</span>`
}

const TONES: Readonly<Record<string, Tone>> = {
  Completed: 'good',
  Closed: 'good',
  pass: 'good',
  released: 'good',
  'on time': 'good',
  acted: 'good',
  Running: 'info',
  Released: 'info',
  AllowedToStart: 'info',
  accepted: 'info',
  valid: 'good',
  'changed since': 'warning',
  INVALID: 'bad',
  hold: 'warning',
  held: 'warning',
  Held: 'warning',
  Interrupted: 'warning',
  proposed: 'warning',
  medium: 'warning',
  reject: 'bad',
  scrapped: 'bad',
  Aborted: 'bad',
  Canceled: 'bad',
  late: 'bad',
  high: 'bad',
}

/** The colour of a state's badge; states without one are neutral. */
export function toneOf(state: string): Tone {
  return TONES[state] ?? 'neutral'
}

const TICKS_MS = [60_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 28_800_000, 86_400_000, 172_800_000, 604_800_000]
const MOST_TICKS = 8

function timelineHtml(section: TimelineSection, timeZone: string): string {
  const { from, to, rows } = section
  const width = Math.max(1, to - from)
  const at = (time: number): string => ((100 * (Math.min(to, Math.max(from, time)) - from)) / width).toFixed(3)
  const step = TICKS_MS.find((ms) => width / ms <= MOST_TICKS) ?? Math.ceil(width / MOST_TICKS)
  const ticks: string[] = []
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) {
    const text = step >= 86_400_000 || width > 86_400_000 ? timeText(time, timeZone) : clockText(time, timeZone)
    ticks.push(`<span style="left:${at(time)}%">${escapeHtml(text)}</span>`)
  }
  const bars = rows.map(({ label, spans }) => {
    const drawn = spans.map((span) => {
      const share = (100 * (Math.min(to, span.to) - Math.max(from, span.from))) / width
      return `<i class="${span.series}" style="left:${at(span.from)}%;width:${Math.max(0.3, share).toFixed(3)}%" title="${escapeHtml(span.text)}"></i>`
    })
    return `<div class="lane"><b>${escapeHtml(label)}</b><div class="track">${drawn.join('')}</div></div>`
  })
  const used = new Set(rows.flatMap(({ spans }) => spans.map(({ series }) => series)))
  return `<div class="timeline">${bars.join('')}<div class="lane axis"><b></b><div class="track">${ticks.join('')}</div></div></div>${legend(used)}`
}

function sharesHtml({ rows }: SharesSection): string {
  const bars = rows.map(({ label, parts }) => {
    const whole = parts.reduce((sum, { ms }) => sum + ms, 0)
    const drawn = parts
      .filter(({ ms }) => ms > 0)
      .map(({ series, ms }) => {
        const share = ms / whole
        const text = `${SERIES[series]} ${durationText(ms)} (${percentText(share)})`
        return `<i class="${series}" style="width:${(100 * share).toFixed(3)}%" title="${escapeHtml(text)}">${share > 0.09 ? escapeHtml(durationText(ms)) : ''}</i>`
      })
    return `<div class="lane"><b>${escapeHtml(label)}</b><div class="track">${drawn.join('')}</div></div>`
  })
  const used = new Set(rows.flatMap(({ parts }) => parts.filter(({ ms }) => ms > 0).map(({ series }) => series)))
  return `<div class="shares">${bars.join('')}</div>${legend(used)}`
}

function legend(used: ReadonlySet<Series>): string {
  const entries = (Object.keys(SERIES) as Series[]).filter((series) => used.has(series))
  return `<p class="legend">${entries.map((series) => `<span><i class="${series}"></i>${SERIES[series]}</span>`).join('')}</p>`
}
