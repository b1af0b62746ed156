import { sql } from 'kysely'
import type { Migration } from '../migrate.ts'

/** Which repaired units are not back to full work yet: asked before each job order that a unit gets. Most orders are of no such unit and stand in neither index. */
export const maintenance: Migration = {
  name: 'maintenance',
  async up(db) {
    await db.schema.alterTable('work_order').addColumn('service', 'text').execute()
    await sql.raw('create index work_order_by_service on work_order (equipment, service) where service is not null').execute(db)
    await sql.raw('create index work_order_by_equipment on work_order (equipment) where equipment is not null').execute(db)
  },
}
