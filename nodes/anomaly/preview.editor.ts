import { type ChartAlarm, type ChartPoint, drawChart, short } from './preview-chart.editor.ts'

/** "Look before you deploy": the dialog's preview of what its fields would have given on stored samples. */

export type Translate = (key: string, values?: Record<string, unknown>) => string

interface Score {
  readonly refused: number
  readonly undecided: number
  readonly falsePerWeek: number | null
}

interface Cost {
  readonly alarms: number
  readonly alarmsPerWeek: number | null
  readonly beforeStop: number
  readonly stops: number
  readonly score: Score
}

interface Answer {
  readonly now: {
    readonly unit: string | null
    readonly from: number
    readonly to: number
    readonly judged: number
    readonly learned: { readonly all: number }
    readonly tooFew: 'values' | 'seasons' | null
    readonly isCut: boolean
    readonly points: readonly ChartPoint[]
    readonly alarms: readonly ChartAlarm[]
    readonly cost: Cost
  }
  readonly before: { readonly alarms: readonly ChartAlarm[]; readonly cost: Cost } | null
}

interface Problem {
  readonly code: string
  readonly what: string
  readonly todo: string
}

export interface PreviewSetting {
  /** id of the node */
  readonly node: string
  readonly t: Translate
  /** the dialog's fields as typed */
  fields(): Readonly<Record<string, unknown>>
}

/** People type several characters of a number, ms. */
const SETTLE_MS = 350
const DAY_MS = 86_400_000

/** Fills the section and keeps it true while fields change. Returns the way to stop. */
export function preparePreview({ node, t, fields }: PreviewSetting): () => void {
  const part = (name: string): JQuery => $(`#takt-anomaly-preview-${name}`)
  const chart = part('chart').get(0) as HTMLElement
  let answer: Answer | undefined
  let chosen = -1
  let asked = 0
  let timer: number | undefined
  let asking: JQuery.jqXHR | undefined

  const problem = (found: Problem | undefined): void => {
    part('problem').text(found === undefined ? '' : `${found.what}. ${t('todo', { todo: found.todo })}`)
  }
  const draw = (): void => {
    if (answer === undefined) return
    const { now, before } = answer
    drawChart(
      chart,
      { from: now.from, to: now.to, points: now.points, alarms: now.alarms, before: before?.alarms ?? null },
      chosen,
      { about: t('chart', { alarms: now.cost.alarms }), typed: t('typed'), running: t('running') },
      {
        alarm: (index) => {
          chosen = index
          const alarm = now.alarms[index]
          if (alarm !== undefined) part('evidence').text(evidenceLine(alarm, t))
        },
        point: (point) => part('point').text(point === undefined ? '' : pointLine(point, now.unit, t)),
      },
    )
  }
  const show = (found: Answer): void => {
    answer = found
    chosen = -1
    problem(undefined)
    part('shown').show()
    part('evidence').text(found.now.alarms.length > 0 ? t('pick') : '')
    draw()
    const spanMs = found.now.to - found.now.from
    part('cost')
      .text(costLine(found.now.cost, spanMs, 'cost', t))
      .attr('data-alarms', found.now.cost.alarms)
    part('before').text(found.before === null ? '' : costLine(found.before.cost, spanMs, 'costBefore', t))
    part('doubt').text(doubts(found, t).join(' '))
  }

  const ask = (): void => {
    const [equipment, signal] = String(part('signal').val() ?? '').split('\n')
    if (!equipment || !signal) return
    asking?.abort()
    const mine = ++asked
    part('chart').addClass('waiting')
    asking = $.ajax({
      url: 'takt/anomaly/preview',
      method: 'POST',
      contentType: 'application/json',
      data: JSON.stringify({ node, fields: fields(), equipment, signal, spanMs: Number(part('span').val()) * 1000 }),
    })
    asking
      .done((found: Answer) => mine === asked && show(found))
      .fail((failed) => {
        if (mine === asked && failed.statusText !== 'abort')
          problem((failed.responseJSON as Problem | undefined) ?? { code: '', what: t('failed'), todo: t('again') })
      })
      .always(() => mine === asked && part('chart').removeClass('waiting'))
  }
  const askSoon = (): void => {
    window.clearTimeout(timer)
    timer = window.setTimeout(ask, SETTLE_MS)
  }

  const list = (): void => {
    const { store, plant, roles, filter } = fields() as Record<string, string>
    const hasStore = Boolean(store)
    part('hint').text(hasStore ? '' : t('noStore'))
    part('controls').toggle(hasStore)
    if (!hasStore) {
      part('shown').hide()
      return
    }
    $.getJSON('takt/anomaly/preview/signals', { store, plant, roles, filter })
      .done((found: { signals: Array<{ equipment: string; signal: string }>; isMore: boolean; problem?: Problem }) => {
        const select = part('signal')
        const chosen = String(select.val() ?? '')
        select.empty()
        for (const { equipment, signal } of found.signals) $('<option>').val(`${equipment}\n${signal}`).text(`${equipment}/${signal}`).appendTo(select)
        if (found.signals.some(({ equipment, signal }) => `${equipment}\n${signal}` === chosen)) select.val(chosen)
        part('controls').toggle(found.signals.length > 0)
        problem(found.problem)
        if (found.problem === undefined) part('hint').text(found.signals.length === 0 ? t('noSamples') : found.isMore ? t('more') : '')
        if (found.signals.length > 0) ask()
        else part('shown').hide()
      })
      .fail(() => problem({ code: '', what: t('failed'), todo: t('again') }))
  }

  part('signal').on('change', ask)
  part('span').on('change', ask)
  const form = $('#dialog-form')
  form.on('change.taktPreview input.taktPreview', '[id^=node-input-]', ({ target }) => {
    const field = String((target as HTMLElement).id).slice('node-input-'.length)
    if (field === 'name') return
    if (['store', 'plant', 'roles', 'filter'].includes(field)) window.setTimeout(list)
    else askSoon()
  })
  const resized = new ResizeObserver(draw)
  resized.observe(chart)
  list()
  return () => {
    resized.disconnect()
    window.clearTimeout(timer)
    asking?.abort()
    form.off('.taktPreview')
  }
}

/** `These settings would have given 2 alarms (21 a week), 1 of them before a stop or a repair; 10.6 false a week.` */
function costLine({ alarms, alarmsPerWeek, beforeStop, score }: Cost, spanMs: number, key: 'cost' | 'costBefore', t: Translate): string {
  const week = spanMs < DAY_MS / 24 || alarmsPerWeek === null ? '' : t('aWeek', { number: short(alarmsPerWeek) })
  const said = t(key, {
    alarms: alarms === 0 ? t('noAlarm') : alarms === 1 ? t('oneAlarm') : t('alarms', { number: alarms }),
    week,
    before: beforeStop,
    wrong:
      score.falsePerWeek === null || (score.refused > 0 && spanMs < DAY_MS / 24)
        ? t('falseOnly', { number: score.refused })
        : t('falseAWeek', { number: short(score.falsePerWeek) }),
  })
  return score.undecided > 0 && key === 'cost' ? `${said} ${t('undecided', { number: score.undecided })}` : said
}

function doubts({ now }: Answer, t: Translate): string[] {
  const { tooFew, judged, learned, isCut, from, to } = now
  const found: string[] = []
  if (tooFew === 'values') found.push(t('tooFewValues', { judged, learned: learned.all }))
  else if (tooFew === 'seasons') found.push(t('tooFewSeasons'))
  else found.push(t('learned', { learned: learned.all.toLocaleString(), judged: judged.toLocaleString() }))
  if (isCut) found.push(t('cut'))
  if (tooFew === null && to - from < DAY_MS) found.push(t('shortSpan', { span: spanText(to - from) }))
  return found
}

function evidenceLine({ since, until, severity, evidence }: ChartAlarm, t: Translate): string {
  const lasted = until === null ? t('stands') : t('lasted', { span: spanText(until - since) })
  return `${new Date(since).toLocaleString()} · ${t(`severity.${severity}`)} · ${lasted} · ${evidence.join('; ')}`
}

function pointLine({ time, value, expected, lower, upper, score, judged }: ChartPoint, unit: string | null, t: Translate): string {
  const is = `${new Date(time).toLocaleTimeString()} · ${short(value)}${unit === null ? '' : ` ${unit}`}`
  if (!judged) return `${is} · ${t('notJudged')}`
  const band =
    lower !== null && upper !== null ? `${short(lower)}–${short(upper)}` : lower !== null ? `≥ ${short(lower)}` : upper !== null ? `≤ ${short(upper)}` : ''
  return [is, expected === null ? '' : t('expected', { number: short(expected) }), band, t('score', { number: score.toFixed(2) })].filter(Boolean).join(' · ')
}

export function spanText(ms: number): string {
  const minutes = Math.max(0, ms) / 60_000
  if (minutes < 1) return `${Math.round(minutes * 60)} s`
  if (minutes < 100) return `${Math.round(minutes)} min`
  return minutes < 48 * 60 ? `${short(minutes / 60)} h` : `${short(minutes / 60 / 24)} d`
}
