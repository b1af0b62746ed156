import { StoreBench } from '../store/support/store.ts'
import { signing } from './suites/signing.ts'

signing(() => new StoreBench())
