import { TaktError } from '../base/error.ts'

/** What no database and no screen shows as it is: NUL and the other control characters but tab and line ends. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

/** Throws TAKT_ORDER_TEXT where a text anywhere in a value could not be stored and shown as it is. Everything else, SQL and markup too, is text like any other. */
export function assertText(value: unknown, where: string, path = ''): void {
  if (typeof value === 'string') {
    const fault = CONTROL.test(value) ? 'has a control character' : value.isWellFormed() ? undefined : 'is not valid Unicode (a lone surrogate)'
    if (fault !== undefined) throw new TaktError('TAKT_ORDER_TEXT', { what: `the text at ${path || '/'} ${fault}`, where })
  } else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    for (const [key, inner] of Object.entries(value)) assertText(inner, where, `${path}/${key.slice(0, 60)}`)
  }
}

const LONGEST = 500

/** Text of somebody else's for a sentence of ours: neither longer than a reader needs, nor with what cannot be shown. */
export function shown(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length} characters)` : text
  return cut.toWellFormed().replaceAll(new RegExp(CONTROL, 'g'), '\ufffd')
}
