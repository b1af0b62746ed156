import { ManualClock } from '../../../../core/base/clock.ts'
import type { Genealogy, GenealogyEvent } from '../../../../core/messages/genealogy.ts'
import { checkPlant } from '../../../../core/plant/check-plant.ts'
import type { Plant } from '../../../../core/plant/plant.ts'
import { openStore } from '../../../../core/store/open-store.ts'
import type { Store } from '../../../../core/store/store.ts'
import { type Recorded, recordEvent, type TraceOptions } from '../../../../core/trace/record-event.ts'

export const NOW = Date.UTC(2026, 0, 5, 6)

export type Side = Readonly<Record<string, number | readonly [value: number, unit: string, material?: string]>>

/** A store with nothing in it, and a short way to tell events: `{ bar: 3 }` is 3 m of lot `bar`. */
export class Ground {
  readonly clock = new ManualClock(NOW)
  readonly store: Store
  readonly plant: Plant = checkPlant(
    {
      plant: 'p',
      timeZone: 'Europe/Berlin',
      equipment: [{ id: 'p/saw', level: 'workUnit', classes: ['saw'] }],
      materials: [
        { id: 'steel', unit: 'm', tracking: 'lot' },
        { id: 'shaft', unit: 'pcs', tracking: 'lot' },
        { id: 'motor', unit: 'pcs', tracking: 'serial' },
      ],
    },
    'test',
  )
  /** Without a store, one of its own in memory. */
  constructor(store?: Store) {
    this.store = store ?? openStore({ file: ':memory:', clock: this.clock })
  }

  options: TraceOptions = { actor: 'Eva', heldLots: 'refuse', unknownLots: 'refuse' }

  event(event: GenealogyEvent, inputs: Side, outputs: Side, more: Partial<Genealogy> = {}): Genealogy {
    const side = (lots: Side, take: boolean) =>
      Object.entries(lots).map(([lot, given]) => {
        const [value, unit, material] = typeof given === 'number' ? [given, 'm', take ? undefined : 'steel'] : given
        return { lot, quantity: { value, unit }, ...(material === undefined ? {} : { material }) }
      })
    const needs = event === 'ship' ? { party: 'ACME' } : event === 'scrap' || event === 'adjust' ? { reason: 'counted' } : {}
    return { kind: 'genealogy', event, inputs: side(inputs, true), outputs: side(outputs, false), jobOrder: null, time: NOW, ...needs, ...more }
  }

  record(told: Genealogy, options: Partial<TraceOptions> = {}): Promise<Recorded> {
    return this.store.transaction((tx) => recordEvent(tx, this.plant, told, { ...this.options, ...options }))
  }

  tell(event: GenealogyEvent, inputs: Side, outputs: Side, more: Partial<Genealogy> = {}): Promise<Recorded> {
    return this.record(this.event(event, inputs, outputs, more))
  }

  async stock(lot: string): Promise<number | undefined> {
    return (await this.store.get('lot', lot))?.quantity.value
  }

  close(): Promise<void> {
    return this.store.close()
  }
}

/** The code that a promise rejects with. */
export async function code(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
  return 'no error'
}
