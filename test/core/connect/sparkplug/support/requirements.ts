import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { packageRoot } from '../../../../../core/base/package-root.ts'

/** Where benchmark data lies: TAKT_BENCH_DATA, or beside the repository. */
const DATA = resolve(packageRoot, process.env.TAKT_BENCH_DATA ?? '../shared')

/**
 * Keeps book of which requirement of a specification which test shows. The list of requirements is a file with one id a line (`<test>\t<id>`); every one of them is
 * shown by a test, or stands among those that do not apply, with the reason. An id that a change leaves behind fails.
 */
export class Requirements {
  readonly #file: string
  readonly #notApplicable: Readonly<Record<string, string>>
  readonly #shown = new Map<string, string[]>()

  constructor(file: string, notApplicable: Readonly<Record<string, string>>) {
    this.#file = join(DATA, 'bench', 'sparkplug', file)
    this.#notApplicable = notApplicable
  }

  /** A test that shows these requirements (without `tck-id-`), separated by white space. */
  shows(title: string, ids: string, body: (this: Mocha.Context) => void | Promise<void>): void {
    const list = ids.trim().split(/\s+/)
    for (const id of list) this.#shown.set(id, [...(this.#shown.get(id) ?? []), title])
    it(`${title} [${list.length} requirement${list.length === 1 ? '' : 's'}]`, body)
  }

  /** The tests that keep the book; to be called last, inside a `describe`. */
  keepBook(): void {
    const [file, shown, notApplicable] = [this.#file, this.#shown, this.#notApplicable]
    it('every requirement of the list is shown by a test or does not apply', function () {
      if (!existsSync(file)) {
        console.log(`      no list of requirements at ${file} (TAKT_BENCH_DATA)`)
        return this.skip()
      }
      const lines = readFileSync(file, 'utf8').split('\n')
      const listed = [
        ...new Set(
          lines.flatMap(
            (line) =>
              line
                .split('\t')[1]
                ?.trim()
                .replace(/^tck-id-/, '') ?? [],
          ),
        ),
      ]
      const reasons = listed.filter((id) => id in notApplicable)
      console.log(`      ${listed.filter((id) => shown.has(id)).length} of ${listed.length} requirements shown, ${reasons.length} do not apply`)
      assert.deepEqual(
        listed.filter((id) => !shown.has(id) && !(id in notApplicable)),
        [],
        'neither shown nor said not to apply',
      )
    })

    it('nothing is both shown and said not to apply', () => {
      assert.deepEqual(
        Object.keys(notApplicable).filter((id) => shown.has(id)),
        [],
      )
    })
  }
}
