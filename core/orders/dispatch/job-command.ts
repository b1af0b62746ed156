import type { Command } from '../../messages/command.ts'
import type { JobOrder } from '../../messages/job-order.ts'
import type { StoreReader } from '../../store/store.ts'
import { knownFactsOf } from '../planning/known-documents.ts'

/** What the plant's machines call the things that Takt tells them. */
export interface CommandNames {
  readonly start: string
  readonly maintain: string
  readonly stop: string
}

export const COMMAND_NAMES: CommandNames = { start: 'start-job', maintain: 'enter-maintenance', stop: 'stop' }

/** Told again, a command has the same id up to the number of the attempt. */
export function commandIdOf(jobOrder: string, attempt: number): string {
  return `cmd-${jobOrder}-${attempt}`
}

/** The job order that a command was about; undefined when the id is none of ours. */
export function jobOrderOfCommand(command: string): string | undefined {
  return /^cmd-(.+)-\d+$/.exec(command)?.[1]
}

export interface CommandOptions {
  readonly names: CommandNames
  readonly attempt: number
  /** plant time, epoch ms */
  readonly expires: number
}

/** The command that tells a unit to begin a job order, with all that a machine may need for it. Set-up time is the plan's: it depends on what came before. */
export async function commandFor(reader: StoreReader, job: JobOrder, equipment: string, { names, attempt, expires }: CommandOptions): Promise<Command> {
  const id = commandIdOf(job.id, attempt)
  const times = job.alternatives.find((alternative) => alternative.equipment === equipment)
  if (job.maintenance !== undefined) {
    const durationMs = (times?.perPieceMs ?? 0) * job.quantity.value
    return { kind: 'command', id, to: equipment, name: names.maintain, arguments: { jobOrder: job.id, durationMs }, expires }
  }
  const [order, assigned] = await Promise.all([reader.get('work-order', job.workOrder), knownFactsOf(reader).assignmentOf(reader, job.id)])
  const planned = assigned?.equipment === equipment ? assigned : undefined
  return {
    kind: 'command',
    id,
    to: equipment,
    name: names.start,
    arguments: {
      // what every unit is told counts before them
      ...order?.parameters,
      jobOrder: job.id,
      lot: job.lot,
      quantity: job.quantity.value,
      setupMs: planned?.setupMs ?? times?.setupMs ?? 0,
      perPieceMs: times?.perPieceMs ?? 0,
      family: job.setupFamily ?? '',
      product: order?.workMaster?.replace(/@\d+$/, '') ?? order?.product ?? '',
      operation: job.operation,
    },
    expires,
  }
}
