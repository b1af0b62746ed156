import { influx } from '../cases/influx.ts'
import { mqttGuaranteed } from '../cases/mqtt-guaranteed.ts'
import { mqttTelemetry } from '../cases/mqtt-telemetry.ts'
import { opcua } from '../cases/opcua.ts'
import { seeded } from '../cases/seeded.ts'
import { steps } from '../cases/steps.ts'
import type { FaultCase } from '../support/case.ts'

/** Plant data in and out: nothing lost, nothing twice, and for telemetry no gap that is not declared. */
export const cases: readonly FaultCase[] = [...mqttGuaranteed, ...steps, ...mqttTelemetry, ...opcua, ...influx, ...seeded]
