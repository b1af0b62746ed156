// The report's own text, as what it is.
export default function reportPage({ msg }) {
  const { format, content } = msg.payload
  const type = { html: 'text/html', csv: 'text/csv', json: 'application/json' }[format]
  return {
    ...msg,
    payload: typeof content === 'string' ? content : JSON.stringify(content, null, 2),
    headers: { 'content-type': `${type}; charset=utf-8`, 'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:" },
  }
}
