import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { systemClock } from '../../../../core/base/clock.ts'
import { OpcuaConnection } from '../../../../core/connect/opcua-connection.ts'
import { boundItems } from '../../../../core/connect/opcua-items.ts'
import { OpcuaSampler } from '../../../../core/connect/opcua-samples.ts'
import { StateFile } from '../../../../core/connect/state-file.ts'
import { checkPlant } from '../../../../core/plant/check-plant.ts'

/**
 * A process that can be killed: takes the count of a machine, each value guaranteed, and writes it to a log as a store would commit it:
 * one line, at once, and no line twice. Arguments: URL, folder of keys, log, file of state.
 */
const [url = '', pkiFolder = '', log = '', state = ''] = process.argv.slice(2)
const known = new Set(existsSync(log) ? readFileSync(log, 'utf8').split('\n').filter(Boolean) : [])
const plant = checkPlant(
  {
    plant: 'acme',
    equipment: [{ id: 'acme/mill', level: 'workUnit', signals: [{ name: 'good', role: 'good-count', source: { connection: 'line', nodeId: 'ns=1;s=Good' } }] }],
  },
  'test',
)
const connection = new OpcuaConnection({
  url,
  securityMode: 'SignAndEncrypt',
  securityPolicy: 'Basic256Sha256',
  acceptServerCertificate: true,
  pkiFolder,
  where: 'a process',
})
connection.register({ linkChanged: () => {} })
new OpcuaSampler(
  connection,
  boundItems(plant, 'line'),
  {
    clock: systemClock,
    where: 'a process',
    publishingMs: 50,
    samplingMs: 0,
    discardOldest: true,
    source: 'line',
    guaranteed: () => true,
    memory: new StateFile(state),
  },
  {
    began: () => {},
    sample: () => {},
    async deliver(_sample, _topic, content) {
      if (known.has(content)) return
      known.add(content)
      appendFileSync(log, `${content}\n`)
    },
    bad: () => {},
    unknown: () => {},
    lost: () => {},
    gap: (gap) => appendFileSync(log, `gap ${JSON.stringify(gap)}\n`),
    alive: () => {},
  },
)
