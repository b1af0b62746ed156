// The overview names the shift that runs; when it names another one, the last has ended.
export default function shiftEnded({ msg, context }) {
  const { shift, from } = msg.payload.content.kpis
  if (shift === null) return null
  const now = `${shift} ${from}`
  const before = context.get('shift')
  if (before === now) return null
  context.set('shift', now)
  return before === undefined ? null : { payload: { span: 'last-shift' } }
}
