/**
 * Real servers that some tests talk to (mosquitto, PostgreSQL, InfluxDB, Chromium) run where `TAKT_REQUIRE_SERVICES=1` says so, as in CI: there a server that is missing is
 * a failure. Without it they are skipped, so that `npm test` is the same, and quick, on every machine.
 */
export function needsService(suite: Mocha.Context, name: string, isInstalled: boolean): void {
  if (process.env.TAKT_REQUIRE_SERVICES !== '1') {
    console.log(`      skipped: TAKT_REQUIRE_SERVICES=1 runs it with ${name}`)
    suite.skip()
  }
  if (!isInstalled) throw new Error(`${name} is not installed, but TAKT_REQUIRE_SERVICES=1`)
}
