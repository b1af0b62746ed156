import { isDeepStrictEqual } from 'node:util'
import { type TaktError, toTaktError } from '../base/error.ts'
import type { Procedure } from '../messages/procedure.ts'
import type { Plant } from '../plant/plant.ts'
import type { Actor, StoreReader, StoreTransaction } from '../store/store.ts'
import { checkProcedure, type ProcedureText } from './check-procedure.ts'
import { proposeVersion } from './versions.ts'

export interface PlantProcedures {
  readonly texts: readonly ProcedureText[]
  /** One for each that makes no sense; the others are taken. */
  readonly problems: readonly TaktError[]
}

/** The procedures that a plant model brings along. */
export function plantProcedures({ model }: Plant): PlantProcedures {
  const texts: ProcedureText[] = []
  const problems: TaktError[] = []
  for (const { id: procedure, title, why = `from the plant model of ${model.plant}`, steps } of model.procedures ?? []) {
    const where = `procedure ${procedure} of the plant model`
    try {
      texts.push(checkProcedure({ procedure, ...(title === undefined ? {} : { title }), why, steps }, where))
    } catch (thrown) {
      problems.push(toTaktError(thrown, where))
    }
  }
  return { texts, problems }
}

/**
 * Proposes what the plant model has and the store has not: as drafts, which need their approver like any other. What is in force, waits for its approver or was refused with
 * the same text is not proposed again; one that was replaced since is, for the model has gone back to it.
 */
export async function proposeFromPlant(tx: StoreTransaction, texts: readonly ProcedureText[], author: Actor): Promise<readonly Procedure[]> {
  const proposed: Procedure[] = []
  for (const text of texts) if (await isNew(tx, text)) proposed.push(await proposeVersion(tx, text, author))
  return proposed
}

/** Has the store all of them? Most starts find so, and write nothing. */
export async function isKnown(reader: StoreReader, texts: readonly ProcedureText[]): Promise<boolean> {
  for (const text of texts) if (await isNew(reader, text)) return false
  return true
}

async function isNew(reader: StoreReader, { procedure: name, title = '', steps }: ProcedureText): Promise<boolean> {
  const versions = await reader.list('procedure', { where: { name } })
  return !versions.some((version) => version.state !== 'replaced' && version.title === title && isDeepStrictEqual(version.steps, plain(steps)))
}

/** As it would come back from the store. */
function plain(steps: ProcedureText['steps']): unknown {
  return JSON.parse(JSON.stringify(steps))
}
