import { StoreBench } from '../store/support/store.ts'
import { people } from './suites/people.ts'

people(() => new StoreBench())
