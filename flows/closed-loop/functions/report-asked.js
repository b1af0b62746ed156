// /reports/shift.html, /reports/last-shift.csv, /reports/SO-100004.html: a shift, or the work order of that id.
export default function reportAsked({ msg }) {
  const [, name, format] = /^(.+)\.(html|csv|json)$/.exec(msg.req.params.name) || []
  if (name === undefined) return [null, { ...msg, statusCode: 404, payload: 'Reports end in .html, .csv or .json.' }]
  const payload = /^(last-)?shift$/.test(name)
    ? { type: 'shift', format, span: name === 'shift' ? 'current-shift' : 'last-shift' }
    : { type: 'work-order', subject: name, format }
  return [{ ...msg, payload }, null]
}
