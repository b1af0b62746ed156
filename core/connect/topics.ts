/** Whether an MQTT topic filter (`+`, `#`, `$share/<group>/…`) takes a topic (MQTT 5, 4.7). */
export function matchesFilter(filter: string, topic: string): boolean {
  const wanted = levelsOf(filter)
  const levels = topic.split('/')
  // a wildcard in the first place does not take the broker's own topics
  if (topic.startsWith('$') && (wanted[0] === '#' || wanted[0] === '+')) return false
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return true
    if (index >= levels.length || (level !== '+' && level !== levels[index])) return false
  }
  return wanted.length === levels.length
}

function levelsOf(filter: string): readonly string[] {
  const levels = filter.split('/')
  return levels[0] === '$share' ? levels.slice(2) : levels
}

/** True for a filter that a broker accepts: wildcards fill a level, `#` is the last. */
export function isFilter(filter: string): boolean {
  if (filter === '' || filter.length > 65_535 || filter.includes('\0')) return false
  const levels = levelsOf(filter)
  return levels.length > 0 && levels.every((level, index) => (level === '#' ? index === levels.length - 1 : level === '+' || !/[+#]/.test(level)))
}

/** True for a topic that may be published to: no wildcards, no NUL, at most 65,535 bytes (MQTT 5, 4.7.3). */
export function isTopic(topic: string): boolean {
  return topic !== '' && Buffer.byteLength(topic) <= 65_535 && !/[+#\0]/.test(topic)
}

const CACHED_TOPICS = 50_000
/** Longer ones are looked up each time: 50,000 topics of 64 KiB would fill the memory. */
const LONGEST_CACHED = 1000

/** Finds who takes a topic; what was found once is remembered. */
export class TopicRouter<T> {
  readonly #entries = new Map<T, string>()
  readonly #found = new Map<string, readonly T[]>()

  add(filter: string, taker: T): void {
    this.#entries.set(taker, filter)
    this.#found.clear()
  }

  remove(taker: T): void {
    this.#entries.delete(taker)
    this.#found.clear()
  }

  takers(topic: string): readonly T[] {
    let found = this.#found.get(topic)
    if (found === undefined) {
      found = [...this.#entries].filter(([, filter]) => matchesFilter(filter, topic)).map(([taker]) => taker)
      if (this.#found.size >= CACHED_TOPICS) this.#found.clear()
      if (topic.length <= LONGEST_CACHED) this.#found.set(topic, found)
    }
    return found
  }
}

/**
 * Reads names out of a topic: `plant/{line}/{equipment}/{signal}`. `{equipment}` spans any number of levels, every other name lies within one;
 * `+` stands for one level that does not matter, `#` for the rest.
 */
export class TopicTemplate {
  readonly #pattern: RegExp

  constructor(template: string) {
    const names = new Set<string>()
    const source = template.replace(/\{(\w+)\}|\+|#|[^+#{}]+|[{}]/g, (part, name: string | undefined) => {
      if (name !== undefined) {
        if (names.has(name)) throw new SyntaxError(`'{${name}}' is used twice`)
        names.add(name)
        return name === 'equipment' ? '(?<equipment>.+)' : `(?<${name}>[^/]+?)`
      }
      if (part === '{' || part === '}') throw new SyntaxError(`'${part}' does not belong to a name in braces`)
      return part === '+' ? '[^/]+' : part === '#' ? '.*' : part.replace(/[.*?^$()[\]|\\]/g, '\\$&')
    })
    this.#pattern = new RegExp(`^${source}$`)
  }

  /** The names and what stood there; `undefined` for a topic of another form. */
  read(topic: string): Readonly<Record<string, string>> | undefined {
    return this.#pattern.exec(topic)?.groups ?? (this.#pattern.test(topic) ? {} : undefined)
  }
}

/** Puts names into a text: `acme/{line}/{machine}/{signal}`. `undefined` where a name has no value. */
export function fillTemplate(template: string, names: Readonly<Record<string, string>>): string | undefined {
  let whole = true
  const text = template.replace(/\{(\w+)\}/g, (_part, name: string) => {
    if (Object.hasOwn(names, name)) return names[name] as string
    whole = false
    return ''
  })
  return whole ? text : undefined
}
