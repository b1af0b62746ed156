import { sql } from 'kysely'
import type { Migration } from '../migrate.ts'

/**
 * Rows of the ledger may leave the table in one way: in a transaction whose newest row so far is a `ledger.archived` event that names them, with the file they are in and
 * its hash. The row that follows in the same transaction ends that. A number that was used is not used again, though its row is gone.
 */
export const ledgerArchive: Migration = {
  name: 'ledger archive',
  async up(db, dialect) {
    for (const statement of dialect === 'sqlite' ? SQLITE : POSTGRES) await sql.raw(statement).execute(db)
  },
}

const SQLITE = [
  `drop trigger ledger_delete`,
  `create trigger ledger_delete before delete on ledger
   when not exists (select 1 from ledger as head where head.sequence = (select max(sequence) from ledger) and head.type = 'ledger.archived'
     and old.sequence between json_extract(head."after", '$.first') and json_extract(head."after", '$.last') and head.sequence > json_extract(head."after", '$.last'))
   begin select raise(abort, 'the ledger is append-only'); end`,
  `drop trigger ledger_replace`,
  `create trigger ledger_replace before insert on ledger when new.sequence <= (select max(sequence) from ledger)
   begin select raise(abort, 'the ledger is append-only'); end`,
]

/** The table is named with its schema, so that no other of that name, a temporary one, is asked. */
const POSTGRES = [
  `create or replace function ledger_append_only() returns trigger language plpgsql as $$
   declare allowed boolean;
   begin
     if tg_op = 'DELETE' then
       execute format('select head.type = ''ledger.archived'' and $1 between (head.after::json->>''first'')::bigint and (head.after::json->>''last'')::bigint
         and head.sequence > (head.after::json->>''last'')::bigint from %I.%I as head order by head.sequence desc limit 1', tg_table_schema, tg_table_name)
         into allowed using old.sequence;
       if allowed then return old; end if;
     end if;
     raise exception 'the ledger is append-only';
   end $$`,
]
