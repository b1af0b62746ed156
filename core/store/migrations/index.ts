import type { Migration } from '../migrate.ts'
import { initialTables } from './0001-initial-tables.ts'

/** The whole history, oldest first; a database's version is how many of them it has. */
export const MIGRATIONS: readonly Migration[] = [initialTables]
