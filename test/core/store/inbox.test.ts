import { inbox } from './suites/inbox.ts'
import { StoreBench } from './support/store.ts'

inbox(() => new StoreBench())
