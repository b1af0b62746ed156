import { archive } from './suites/archive.ts'
import { StoreBench } from './support/store.ts'

describe('on SQLite', () => {
  archive(() => new StoreBench())
})
