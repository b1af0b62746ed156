/** The chart of the dialog's preview: values, band, thresholds and alarms on a time axis; drawn as SVG in the colours of the editor's theme (see the html). */

export interface ChartPoint {
  readonly time: number
  readonly value: number
  readonly expected: number | null
  readonly lower: number | null
  readonly upper: number | null
  readonly score: number
  readonly judged: boolean
}

export interface ChartAlarm {
  readonly since: number
  readonly until: number | null
  readonly severity: 'low' | 'medium' | 'high'
  readonly evidence: readonly string[]
}

export interface ChartData {
  readonly from: number
  readonly to: number
  readonly points: readonly ChartPoint[]
  readonly alarms: readonly ChartAlarm[]
  /** of the settings that run; null: no second row */
  readonly before: readonly ChartAlarm[] | null
}

export interface ChartTexts {
  /** what the chart is, for who cannot see it */
  readonly about: string
  /** names of the two rows of alarms */
  readonly typed: string
  readonly running: string
}

export interface ChartEvents {
  /** A person looks at this one of the alarms. */
  alarm(index: number): void
  point(point: ChartPoint | undefined): void
}

const LEFT = 62
const RIGHT = 6
const TOP = 6
const PLOT = 150
const ROW = 9
const GAP = 5
const AXIS = 18
const TICKS = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800].map((seconds) => seconds * 1000)
const PIXELS_A_TICK = 75
/** A narrow alarm is still to be seen and to be pointed at, pixels. */
const NARROWEST = 3

/** Draws into the element, in place of what it had. `chosen`: which of the alarms a person looks at; below 0: none. */
export function drawChart(element: HTMLElement, data: ChartData, chosen: number, texts: ChartTexts, events: ChartEvents): void {
  const width = Math.max(240, element.clientWidth)
  const rows = data.before === null ? 1 : 2
  const height = TOP + PLOT + rows * (GAP + ROW) + AXIS
  const svg = make('svg', { width, height, viewBox: `0 0 ${width} ${height}`, tabindex: 0, role: 'img', 'aria-label': texts.about })
  const x = scale(data.from, data.to, LEFT, width - RIGHT)
  const [least, greatest] = valueRange(data.points)
  const y = scale(least, greatest, TOP + PLOT, TOP)

  for (const at of niceSteps(least, greatest, 4)) {
    svg.append(make('line', { class: 'grid', x1: LEFT, x2: width - RIGHT, y1: y(at), y2: y(at) }))
    svg.append(text(LEFT - 5, y(at) + 4, short(at), 'end'))
  }
  drawTimes(svg, data, x, width, height)
  const shades = data.alarms.map((alarm) => svg.appendChild(make('rect', { class: `alarm ${alarm.severity}`, ...span(alarm, x, data), y: TOP, height: PLOT })))
  // what lies beyond the values would draw over the rows
  const clip = make('clipPath', { id: 'takt-anomaly-plot' })
  clip.append(make('rect', { x: LEFT, y: TOP, width: width - RIGHT - LEFT, height: PLOT }))
  const plot = make('g', { 'clip-path': 'url(#takt-anomaly-plot)' })
  svg.append(clip, plot)
  plot.append(make('path', { class: 'band', d: bandPath(data.points, x, y) }))
  for (const edge of ['lower', 'upper', 'expected'] as const) plot.append(make('path', { class: edge, d: linePath(data.points, x, y, (point) => point[edge]) }))
  plot.append(make('path', { class: 'value idle', d: linePath(data.points, x, y, ({ value }) => value) }))
  plot.append(make('path', { class: 'value', d: linePath(data.points, x, y, ({ value, judged }) => (judged ? value : null)) }))

  drawRow(svg, data.alarms, TOP + PLOT + GAP, texts.typed, 'typed', x, data, width)
  if (data.before !== null) drawRow(svg, data.before, TOP + PLOT + 2 * GAP + ROW, texts.running, 'running', x, data, width)
  const cursor = svg.appendChild(make('line', { class: 'cursor', y1: TOP, y2: TOP + PLOT, visibility: 'hidden' }))
  const hadFocus = element.contains(document.activeElement)
  element.replaceChildren(svg)
  if (hadFocus) svg.focus({ preventScroll: true })
  follow(svg, data, x, chosen, shades, cursor, events)
}

/** Pointer, click and arrow keys: which alarm and which value a person looks at. */
function follow(svg: Element, data: ChartData, x: Scale, first: number, shades: readonly Element[], cursor: Element, events: ChartEvents): void {
  let chosen = first
  shades[chosen]?.classList.add('chosen')
  const choose = (index: number): void => {
    if (index === chosen) return
    shades[chosen]?.classList.remove('chosen')
    chosen = index
    shades[chosen]?.classList.add('chosen')
    events.alarm(chosen)
  }
  const indexAt = (time: number): number => {
    const slack = (NARROWEST / (x(data.to) - x(data.from) || 1)) * (data.to - data.from)
    let found = -1
    data.alarms.forEach(({ since, until }, index) => {
      if (since - slack <= time && time <= (until ?? data.to) + slack) found = index
    })
    return found
  }
  svg.addEventListener('pointermove', (event) => {
    const at = (event as PointerEvent).clientX - svg.getBoundingClientRect().left
    const time = data.from + ((at - x(data.from)) / (x(data.to) - x(data.from) || 1)) * (data.to - data.from)
    const near = nearest(data.points, time)
    if (at < LEFT || near === undefined) return
    cursor.setAttribute('x1', String(x(near.time)))
    cursor.setAttribute('x2', String(x(near.time)))
    cursor.setAttribute('visibility', 'visible')
    events.point(near)
    const over = indexAt(time)
    if (over >= 0) choose(over)
  })
  svg.addEventListener('pointerleave', () => {
    cursor.setAttribute('visibility', 'hidden')
    events.point(undefined)
  })
  svg.addEventListener('keydown', (event) => {
    const { key } = event as KeyboardEvent
    const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0
    if (step === 0 || data.alarms.length === 0) return
    event.preventDefault()
    choose(Math.max(0, Math.min(data.alarms.length - 1, chosen + step)))
  })
}

function drawRow(svg: Element, alarms: readonly ChartAlarm[], top: number, name: string, row: string, x: Scale, data: ChartData, width: number): void {
  svg.append(text(LEFT - 5, top + ROW - 1, name, 'end'))
  svg.append(make('rect', { class: 'row', x: LEFT, y: top, width: width - RIGHT - LEFT, height: ROW }))
  for (const alarm of alarms) svg.append(make('rect', { class: `mark ${row} ${alarm.severity}`, ...span(alarm, x, data), y: top, height: ROW }))
}

function drawTimes(svg: Element, { from, to }: ChartData, x: Scale, width: number, height: number): void {
  const most = Math.max(2, Math.floor((width - LEFT - RIGHT) / PIXELS_A_TICK))
  const step = TICKS.find((ms) => (to - from) / ms <= most) ?? Math.ceil((to - from) / most / 86_400_000) * 86_400_000
  // whole hours and days of the place where the person is
  const offset = new Date(from).getTimezoneOffset() * 60_000
  for (let at = Math.ceil((from - offset) / step) * step + offset; at <= to; at += step) {
    svg.append(make('line', { class: 'grid', x1: x(at), x2: x(at), y1: TOP, y2: height - AXIS }))
    const isNear = x(at) > width - RIGHT - 20
    svg.append(text(isNear ? width - RIGHT : x(at), height - 4, timeLabel(at, step), isNear ? 'end' : 'middle'))
  }
}

function timeLabel(time: number, step: number): string {
  const date = new Date(time)
  if (step >= 86_400_000) return date.toLocaleDateString([], { day: 'numeric', month: 'short' })
  const clock = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', ...(step < 60_000 ? { second: '2-digit' } : {}), hourCycle: 'h23' })
  return date.getHours() === 0 && date.getMinutes() === 0 && step >= 3_600_000 ? date.toLocaleDateString([], { day: 'numeric', month: 'short' }) : clock
}

type Scale = (value: number) => number

function scale(from: number, to: number, start: number, end: number): Scale {
  const factor = to > from ? (end - start) / (to - from) : 0
  return (value) => Math.round((start + (value - from) * factor) * 10) / 10
}

/** The values, and of the band as much as does not press them flat. */
function valueRange(points: readonly ChartPoint[]): [number, number] {
  let least = Number.POSITIVE_INFINITY
  let greatest = Number.NEGATIVE_INFINITY
  for (const { value } of points) {
    least = Math.min(least, value)
    greatest = Math.max(greatest, value)
  }
  if (least > greatest) return [0, 1]
  const room = (greatest - least) / 2 || Math.abs(greatest) / 10 || 1
  let low = least
  let high = greatest
  for (const { lower, upper } of points) {
    if (lower !== null && lower > least - room) low = Math.min(low, lower)
    if (upper !== null && upper < greatest + room) high = Math.max(high, upper)
  }
  const margin = (high - low) * 0.04 || room
  return [low - margin, high + margin]
}

function niceSteps(from: number, to: number, about: number): number[] {
  const rough = (to - from) / about
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((times) => times * power >= rough) ?? 10)
  const steps: number[] = []
  for (let at = Math.ceil(from / step); at * step <= to && steps.length < 20; at++) steps.push(at * step)
  return steps
}

function linePath(points: readonly ChartPoint[], x: Scale, y: Scale, of: (point: ChartPoint) => number | null): string {
  let path = ''
  let isDrawing = false
  for (const point of points) {
    const value = of(point)
    if (value !== null) path += `${isDrawing ? 'L' : 'M'}${x(point.time)} ${y(value)}`
    isDrawing = value !== null
  }
  return path
}

function bandPath(points: readonly ChartPoint[], x: Scale, y: Scale): string {
  let path = ''
  let back = ''
  const close = (): void => {
    if (back !== '') path += `${back}Z`
    back = ''
  }
  for (const { time, lower, upper } of points) {
    if (lower === null || upper === null) {
      close()
      continue
    }
    path += `${back === '' ? 'M' : 'L'}${x(time)} ${y(upper)}`
    back = `L${x(time)} ${y(lower)}${back}`
  }
  close()
  return path
}

function span({ since, until }: ChartAlarm, x: Scale, { from, to }: ChartData): { readonly x: number; readonly width: number } {
  const start = x(Math.max(from, since))
  return { x: start, width: Math.max(NARROWEST, x(Math.min(to, until ?? to)) - start) }
}

function nearest(points: readonly ChartPoint[], time: number): ChartPoint | undefined {
  let low = 0
  let high = points.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((points[middle]?.time ?? 0) < time) low = middle + 1
    else high = middle
  }
  const after = points[low]
  const before = points[low - 1]
  return before !== undefined && after !== undefined && time - before.time < after.time - time ? before : after
}

function make(name: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value))
  return element
}

function text(x: number, y: number, content: string, anchor: 'end' | 'middle'): SVGElement {
  const element = make('text', { x, y, 'text-anchor': anchor })
  element.textContent = content
  return element
}

/** Three digits that matter. */
export function short(value: number): string {
  return String(Number(value.toPrecision(3)))
}
