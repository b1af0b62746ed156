import { AnchorFile } from './anchor-file.ts'
import type { PostgresOptions } from './postgres-backend.ts'
import { postgresKysely } from './postgres-dialect.ts'
import { PostgresLink } from './postgres-link.ts'
import { postgresTarget } from './postgres-target.ts'
import type { Verification } from './store.ts'
import { type VerifyOptions, verifyLedger } from './verify.ts'

const PATIENCE_S = 120

/** Verifies the ledger of a database on a server, also while instances write to it. Changes nothing. Without an anchor nobody knows whether its end was cut off. */
export async function verifyPostgres(postgres: PostgresOptions, options: VerifyOptions = {}): Promise<Verification> {
  const target = postgresTarget(postgres, 'ledger check')
  const where = `database ${target.name}`
  const anchor = postgres.anchor === undefined ? undefined : await new AnchorFile(postgres.anchor).read()
  const link = await PostgresLink.open({ target, where, patienceSeconds: PATIENCE_S, settings: { default_transaction_read_only: 'on' } })
  try {
    return await verifyLedger(
      postgresKysely((sql, parameters) => link.run(sql, parameters), where),
      anchor,
      options,
    )
  } finally {
    await link.close()
  }
}
