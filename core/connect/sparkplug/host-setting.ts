import type { Clock } from '../../base/clock.ts'
import type { PayloadLimits } from './decode.ts'
import type { FindTargets } from './metric-table.ts'

/** What a Sparkplug host needs to know. */
export interface HostSetting {
  /** Name under which the host says whether it is online; without one it keeps silent about that. */
  readonly hostId: string | undefined
  /** Plant time, for samples. */
  readonly clock: Clock
  /** Real time, for what is published and for waiting. */
  readonly timers: Clock
  /** Name of the broker: the source of samples and gaps. */
  readonly source: string
  /** For errors: the node. */
  readonly where: string
  readonly limits: Partial<PayloadLimits>
  /** Real ms for which a message that came too early waits for those before it. */
  readonly reorderMs: number
  /** The signals that metrics of an edge node or device go to. */
  readonly targets: (group: string, node: string, device: string | undefined) => FindTargets
  /** Where births are remembered across restarts. */
  readonly memory?: HostMemory | undefined
}

export interface HostMemory {
  load(): unknown
  save(state: unknown): void
}

/** 3.0 leaves the length of the reorder timeout to the host. On one TCP connection messages come in order, so a gap is hardly ever filled later. */
export const REORDER_MS = 2000
