// Why there is no such report.
export default function reportRefused({ msg }) {
  return msg.res ? { ...msg, statusCode: 404, payload: msg.error.message, headers: { 'content-type': 'text/plain; charset=utf-8' } } : null
}
