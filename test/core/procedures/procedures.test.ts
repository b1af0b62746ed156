import { StoreBench } from '../store/support/store.ts'
import { anyProcedureInOrder } from './suites/any-procedure.ts'
import { legalOrder } from './suites/legal-order.ts'
import { lotRelease } from './suites/lot-release.ts'
import { steps } from './suites/run.ts'
import { versions } from './suites/versions.ts'

const newBench = () => new StoreBench()
versions(newBench)
steps(newBench)
lotRelease(newBench)
legalOrder(newBench, [1, 2, 3, 4, 5])
anyProcedureInOrder(newBench, [1, 2, 3, 4, 5, 6])
