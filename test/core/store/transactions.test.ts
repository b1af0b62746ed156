import { transactions } from './suites/transactions.ts'
import { StoreBench } from './support/store.ts'

transactions(() => new StoreBench())
