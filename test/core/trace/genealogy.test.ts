import { World } from '../report/support/world.ts'
import { plantEvents } from './suites/plant-events.ts'
import { randomEvents } from './suites/properties.ts'
import { recordedEvents } from './suites/record-event.ts'
import { Ground } from './support/ground.ts'

recordedEvents(() => new Ground())
randomEvents(() => new Ground(), [1, 2, 3])
plantEvents(() => new World())
