import { closedLoopSuite } from './support/loop-suite.ts'

// the same loop through two kills asserts all of this too, and runs everywhere (closed-loop-killed.test.ts)
if (process.env.TAKT_REQUIRE_SERVICES === '1') closedLoopSuite(0)
else describe('the closed loop, without kills', () => it('runs where TAKT_REQUIRE_SERVICES=1 says so'))
