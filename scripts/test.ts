import { spawn } from 'node:child_process'

/**
 * Everything that `npm test` runs, built code at hand: types, lint and import rules beside the tests, which wait for servers and processes half of the time.
 * Arguments go to the test runner, whose summary comes last.
 */

const checked = checkBeside()
const tested = await runTests(process.argv.slice(2))
process.exitCode = tested || (await checked)

/** What it says comes whole, when it ends. */
function checkBeside(): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn('npm run --silent lint', { shell: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const printed: Buffer[] = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => printed.push(data))
    child.once('close', (code) => {
      process.stdout.write(Buffer.concat(printed))
      resolve(code ?? 1)
    })
  })
}

function runTests(more: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const quoted = more.map((argument) => JSON.stringify(argument)).join(' ')
    // the longest first, so that nothing is left alone at the end; more at a time than there are cores, because much of it waits
    const child = spawn(`mocha --parallel --jobs 5 "test/e2e/**/*.test.ts" "test/!(e2e)/**/*.test.ts" ${quoted}`, { shell: true, stdio: 'inherit' })
    child.once('close', (code) => resolve(code ?? 1))
  })
}
