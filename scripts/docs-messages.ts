import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../core/base/package-root.ts'
import { DOCUMENTS, type Kind } from '../core/messages/document.ts'
import { MESSAGE_EXAMPLES } from './message-examples.ts'

/**
 * Writes docs/messages.md from the definitions in core/messages: `node scripts/docs-messages.ts`. With `--check` it writes nothing and fails when the file
 * is not what the definitions say.
 */
export const MESSAGES_DOC: string = join(packageRoot, 'docs', 'messages.md')

/** The parts of JSON Schema that our definitions use. */
interface Schema {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly description?: string
}

export function messagesDoc(): string {
  const comments = definitionComments()
  const kinds = Object.keys(DOCUMENTS) as Kind[]
  return `# Messages

<!-- Written by scripts/docs-messages.ts from core/messages; change the definitions, not this file. -->

\`msg.payload\` is always one _document_ with a \`kind\`, and \`msg.topic\` is where it belongs. Documents are plain JSON: a \`function\` or \`change\` node can read and make them.
Times are epoch milliseconds UTC of plant time, durations milliseconds, quantities have their unit. What comes from the store has a \`revision\` (one more with each change) and the number of the \`ledger\` event
that made it. A document from outside is checked once, where it comes in; one that cannot be used becomes [quarantined](#quarantined).

${table([['kind', 'what it is'], ...kinds.map((kind) => [`[${kind}](#${kind})`, firstSentence(comments.get(kind) ?? '')])])}

${kinds.map((kind) => section(kind, comments.get(kind) ?? '')).join('\n\n')}
`
}

function section(kind: Kind, comment: string): string {
  const schema = DOCUMENTS[kind] as unknown as Schema
  return `## ${kind}

${comment}

\`\`\`json
${exampleText(MESSAGE_EXAMPLES[kind])}
\`\`\`

${table([['field', 'type', ''], ...rows(schema, '', true)])}`
}

/** Columns of one width, as the formatter wants them. */
function table(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(3, ...lines.map((line) => line[column]?.length ?? 0)))
  const text = lines.map((line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
  return [text[0], `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...text.slice(1)].join('\n')
}

const LINE_WIDTH = 160

/** Objects and lists that fit stand on one line, as people write them. */
function exampleText(value: unknown, indent = '', before = 0): string {
  const flat = flatText(value)
  if (typeof value !== 'object' || value === null || (indent !== '' && indent.length + before + flat.length < LINE_WIDTH)) return flat
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  const lines = Object.entries(value).map(([key, item]) => {
    const name = Array.isArray(value) ? '' : `"${key}": `
    return `${indent}  ${name}${exampleText(item, `${indent}  `, name.length)}`
  })
  return `${open}\n${lines.join(',\n')}\n${indent}${close}`
}

function flatText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flatText).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{ ${Object.entries(value)
    .map(([key, item]) => `"${key}": ${flatText(item)}`)
    .join(', ')} }`
}

function rows(schema: Schema, path: string, isRequired: boolean): string[][] {
  const remark = [isRequired ? '' : 'optional', schema.description ?? ''].filter(Boolean).join('; ')
  const own = path === '' ? [] : [[`\`${path}\``, typeText(schema), remark]]
  return [...own, ...nested(schema, path)]
}

function nested(schema: Schema, path: string): string[][] {
  const item = schema.items
  if (item !== undefined) return nested(item, `${path}[]`)
  const objects = [schema, ...(schema.anyOf ?? [])].filter(({ properties }) => properties !== undefined)
  return objects.flatMap(({ properties = {}, required = [] }) =>
    Object.entries(properties).flatMap(([key, property]) => rows(property, path === '' ? key : `${path}.${key}`, required.includes(key))),
  )
}

function typeText(schema: Schema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(' \\| ')
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(' \\| ')
  if (schema.items !== undefined) return `list of ${typeText(schema.items)}`
  if (schema.patternProperties !== undefined) return `map of ${typeText(Object.values(schema.patternProperties)[0] ?? {})}`
  return schema.type ?? 'any'
}

/** The comment over each definition says what the document is; it is read from the source, so that it is written once. */
function definitionComments(): ReadonlyMap<Kind, string> {
  const folder = join(packageRoot, 'core', 'messages')
  const byConstant = new Map<string, string>()
  for (const file of readdirSync(folder)) {
    const source = readFileSync(join(folder, file), 'utf8')
    for (const [, comment = '', name = ''] of source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport const (\w+) = Type\.Object\(/g))
      byConstant.set(name, plainComment(comment))
  }
  const constantOf = (kind: Kind): string => kind.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())
  return new Map((Object.keys(DOCUMENTS) as Kind[]).map((kind) => [kind, byConstant.get(constantOf(kind)) ?? '']))
}

function plainComment(comment: string): string {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trim())
    .join(' ')
    .trim()
}

function firstSentence(comment: string): string {
  return (/^.*?[.;:](?=\s|$)/.exec(comment)?.[0] ?? comment).replace(/[.;:]$/, '')
}

if (process.argv[1] === import.meta.filename) {
  const text = messagesDoc()
  if (!process.argv.includes('--check')) writeFileSync(MESSAGES_DOC, text)
  else if (readFileSync(MESSAGES_DOC, 'utf8') !== text) {
    console.error('docs/messages.md is not what core/messages says: run node scripts/docs-messages.ts')
    process.exitCode = 1
  }
}
