import { sampleRing } from './suites/sample-ring.ts'
import { StoreBench } from './support/store.ts'

sampleRing(() => new StoreBench())
