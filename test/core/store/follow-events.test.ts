import { followEvents } from './suites/follow-events.ts'
import { StoreBench } from './support/store.ts'

followEvents(() => new StoreBench())
