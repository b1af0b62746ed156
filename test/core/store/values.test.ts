import { values } from './suites/values.ts'
import { StoreBench } from './support/store.ts'

values(() => new StoreBench())
