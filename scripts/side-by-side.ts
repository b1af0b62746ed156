import { spawn } from 'node:child_process'

/**
 * Runs commands at once: `node scripts/side-by-side.ts "tsc -p ." "biome check ."`. What each prints comes whole, in the order in which they end;
 * it fails, after all have ended, with the first of them that failed.
 */

const results = await Promise.all(process.argv.slice(2).map(run))
process.exitCode = results.find((code) => code !== 0) ?? 0

function run(command: string): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const printed: Buffer[] = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => printed.push(data))
    child.once('error', (error) => printed.push(Buffer.from(`${error.message}\n`)))
    child.once('close', (code) => {
      process.stdout.write(Buffer.concat(printed))
      if (code !== 0) console.error(`failed (${code}): ${command}`)
      resolve(code ?? 1)
    })
  })
}
