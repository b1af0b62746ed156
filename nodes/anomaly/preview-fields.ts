/** Fields of the dialog that are not about which alarms there are; all others are the detector's. */
const OTHERS: ReadonlySet<string> = new Set([
  ...['id', 'type', 'z', 'g', 'd', 'l', 'x', 'y', 'wires', 'name', 'info', 'env', 'plant', 'store', 'challenger', 'roles', 'filter', 'maxSignals', 'saveEvery'],
  ...['value', 'valueType', 'signal', 'signalType', 'time', 'timeType'],
])

export type DetectorFields = Readonly<Record<string, string | number | boolean>>

export function isDetectorField(name: string): boolean {
  return !OTHERS.has(name)
}

/** Which alarms there are, by the node's fields. */
export function detectorFields(fields: object): DetectorFields {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([name, value]) => isDetectorField(name) && (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'),
    ),
  ) as DetectorFields
}
