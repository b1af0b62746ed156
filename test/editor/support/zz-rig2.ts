import { mkdtempSync, readFileSync } from 'node:fs'
import { NodeRedProcess } from '../../e2e/support/node-red-process.ts'

const red = new NodeRedProcess({ userDir: mkdtempSync('/tmp/t/rig2-'), flow: JSON.parse(readFileSync('flows/closed-loop.json', 'utf8')) })
red.port = 18901
setTimeout(() => process.exit(0), 600_000)
await red.start().catch((e) => console.log(String(e).slice(0, 3000)))
