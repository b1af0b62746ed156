import { TaktError } from '../../base/error.ts'
import type { Gap } from '../../messages/gap.ts'
import type { Dropped } from './edge-backlog.ts'
import type { EdgeDevices } from './edge-devices.ts'

/** Values that no host will get, as the document that declares them. `source`: the node. */
export function gapOf({ device, name, from, to, count }: Dropped, source: string, devices: EdgeDevices): Gap {
  const equipment = device === undefined ? undefined : devices.equipmentOf(device)
  const { what } = new TaktError('TAKT_SPARKPLUG_BACKLOG', { where: source })
  return {
    kind: 'gap',
    source,
    ...(equipment === undefined ? {} : { equipment }),
    signals: [name],
    from,
    to,
    code: 'TAKT_SPARKPLUG_BACKLOG',
    why: what,
    lost: count,
  }
}
