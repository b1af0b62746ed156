// One overview in, one small message out for each panel of the page. Each panel gets no more than it draws.
export default function panels({ msg, context, flow }) {
  if (msg.topic === 'autonomy') {
    // what was chosen last, to show it
    flow.set('autonomy', msg.payload)
    return null
  }
  const o = msg.payload && msg.payload.kind === 'report' ? msg.payload.content : msg.payload
  if (!o || !Array.isArray(o.units)) return null
  const base = { now: o.now, timeZone: o.timeZone, rate: o.rate }
  const panel = (part) => ({ payload: Object.assign({}, base, part) })

  // colours go by product, so their order must not change while the plant runs
  const products = context.get('products') || []
  for (const bar of o.plan ? o.plan.bars : []) {
    if (!bar.maintenance && !products.includes(bar.product)) products.push(bar.product)
  }
  context.set('products', products)

  // A plan tells only what it moved itself. What was moved for a machine that went bad is remembered, to be told as one story.
  const moves = context.get('moves') || {}
  if (o.plan && o.plan.version !== moves.version) {
    moves.version = o.plan.version
    for (const change of o.plan.changes) {
      const cause = o.disruptions.find((d) => change.because.includes(d.id) || (d.maintenanceOrder && change.because.includes(d.maintenanceOrder)))
      if (!cause || !change.from || !change.to) continue
      const told = moves[cause.id] || { elsewhere: [], units: [], later: [] }
      const jobs = change.moved === 'unit' ? told.elsewhere : told.later
      if (!jobs.includes(change.jobOrder)) jobs.push(change.jobOrder)
      if (change.moved === 'unit' && !told.units.includes(change.to.unit)) told.units.push(change.to.unit)
      moves[cause.id] = told
    }
    for (const id of Object.keys(moves)) if (id !== 'version' && !o.disruptions.some((d) => d.id === id)) delete moves[id]
    context.set('moves', moves)
  }

  const format = (time, options) => new Intl.DateTimeFormat('en-GB', { timeZone: o.timeZone, ...options }).format(time)
  const day = (time) => format(time, { weekday: 'short' })
  const clock = (time) => (day(time) === day(o.now) ? '' : `${day(time)} `) + format(time, { hour: '2-digit', minute: '2-digit' })
  const stories = o.disruptions.slice(0, 5).map((d) => {
    const steps = [{ text: d.why, tone: 'bad' }]
    const order = d.maintenanceOrder
    const repair = order && o.plan ? o.plan.bars.find((bar) => bar.maintenance && bar.workOrder === order) : undefined
    if (d.status === 'refused') steps.push({ text: `${d.decidedBy || 'a person'} refused: nothing is done`, tone: '' })
    if (d.status === 'withdrawn') steps.push({ text: 'withdrawn: it went back to normal by itself', tone: 'good' })
    if (repair) {
      const word = { done: 'repaired', running: 'in repair', planned: 'repair planned' }[repair.status]
      steps.push({
        text: `${word} ${clock(repair.start)} – ${clock(repair.end)}${d.decidedBy ? `, decided by ${d.decidedBy}` : ''}`,
        tone: repair.status === 'done' ? 'good' : 'warning',
      })
    } else if (order) steps.push({ text: `maintenance order ${order}`, tone: 'warning' })
    const told = moves[d.id]
    if (told) {
      const jobs = (list) => `${list.length} job${list.length === 1 ? '' : 's'}`
      const later = told.later.filter((job) => !told.elsewhere.includes(job))
      const parts = []
      if (told.elsewhere.length) parts.push(`${jobs(told.elsewhere)} moved to ${told.units.join(', ')}`)
      if (later.length) parts.push(`${jobs(later)} at another time`)
      steps.push({ text: parts.join('; '), tone: '' })
    }
    if (order && o.plan && repair?.status !== 'done') {
      const late = o.orders.filter((candidate) => candidate.late && candidate.type === 'production').map((candidate) => candidate.id)
      steps.push(
        late.length
          ? { text: `late: ${late.slice(0, 4).join(', ')}${late.length > 4 ? ` and ${late.length - 4} more` : ''}`, tone: 'warning' }
          : { text: 'every order still on time', tone: 'good' },
      )
    }
    return { id: d.id, unit: d.unit, status: d.status, autonomy: d.autonomy, awaiting: d.awaiting, deadline: d.deadline, time: d.time, steps }
  })

  // people judge what stands before what is over
  const alarms = (o.alarms || []).toSorted((a, b) => Number(a.cleared !== null) - Number(b.cleared !== null) || b.since - a.since).slice(0, 6)

  const oee = {}
  for (const kpi of o.kpis.units) oee[kpi.scope] = kpi.oee
  const autonomy = flow.get('autonomy') || 'auto'
  flow.set('timeZone', o.timeZone)
  flow.set('now', o.now)

  // what a person may try: orders that plans are made of, and the repairs that wait
  const open = o.orders.filter((order) => order.type !== 'maintenance' && (order.state === 'Released' || order.state === 'Running'))
  const repairs = (o.plan ? o.plan.bars : []).filter((bar) => bar.maintenance && bar.status === 'planned')

  return [
    panel({ plant: o.plant, totals: o.totals, kpis: { shift: o.kpis.shift, line: o.kpis.line }, autonomy }),
    panel({ units: o.units, oee }),
    panel({ units: o.units.map(({ id, name, class: kind, lamp }) => ({ id, name, class: kind, lamp })), plan: o.plan, products }),
    panel({ stories, alarms, events: o.events.slice(0, 40) }),
    panel({ orders: o.orders }),
    panel({ units: o.units.map(({ id, name, lamp }) => ({ id, name, lamp })) }),
    panel({ detectors: o.scorecard ? o.scorecard.detectors : [] }),
    panel({
      units: o.units.map(({ id, name }) => ({ id, name })),
      orders: open.map(({ id, product, due, late }) => ({ id, product, due, late })),
      repairs: repairs.map(({ equipment, start }) => ({ equipment, start })),
    }),
  ]
}
