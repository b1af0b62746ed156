import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Settings } from './builder.ts'

/** What stands between the braces that open at the end of the `export default` line and close the file. */
export function bodyOf(file: string): string {
  const text = readFileSync(file, 'utf8')
  const lines = text.slice(text.indexOf('export default')).trimEnd().split('\n')
  return lines
    .slice(1, -1)
    .map((line) => line.replace(/^ {2}/, ''))
    .join('\n')
}

/** A function node that does what `functions/<file>.js` does. */
export function functionNode(file: string, name: string, outputs = 1): Settings {
  const func = bodyOf(join(import.meta.dirname, 'functions', `${file}.js`))
  return { type: 'function', name, func, outputs, timeout: 0, noerr: 0, initialize: '', finalize: '', libs: [] }
}
