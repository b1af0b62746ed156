import { closedLoopSuite } from './support/loop-suite.ts'

closedLoopSuite(0)
