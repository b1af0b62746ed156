import type { Migration } from '../migrate.ts'
import { initialTables } from './0001-initial-tables.ts'
import { delivery } from './0002-delivery.ts'
import { trace } from './0003-trace.ts'
import { people } from './0004-people.ts'
import { procedures } from './0006-procedures.ts'
import { ledgerArchive } from './0007-ledger-archive.ts'
import { sessions } from './0008-sessions.ts'
import { maintenance } from './0009-maintenance.ts'
import { erpAndTemplates } from './0010-erp-and-templates.ts'

/** The whole history, oldest first; a database's version is how many of them it has. */
export const MIGRATIONS: readonly Migration[] = [initialTables, delivery, trace, people, procedures, sessions, maintenance, ledgerArchive, erpAndTemplates]
