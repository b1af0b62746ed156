import { outbox } from './suites/outbox.ts'
import { StoreBench } from './support/store.ts'

outbox(() => new StoreBench())
