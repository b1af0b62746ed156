import type { FaultCase } from '../support/case.ts'
import { STEPS } from '../support/patches.ts'
import { pause } from '../support/stage.ts'
import { mqttCase } from './mqtt.ts'

/** How long a step may take to be passed so often. */
const PATIENCE_MS = 30_000

/** Node-RED dies at each labelled step of a guaranteed message's way, as if the power went just then. */
export const steps: readonly FaultCase[] = STEPS.map(({ name }) =>
  mqttCase({
    name: `mqtt: kill -9 ${name}`,
    palette: (context) =>
      context.variant(
        'steps',
        STEPS.map(({ patch }) => patch),
      ),
    order: { rate: 50 },
    async during({ red, size }) {
      for (let kill = 0; kill < size.killsAtStep; kill++) {
        await red.stop()
        red.env = { FAULTS_STEP: name, FAULTS_STEP_AT: String(1 + Math.floor(Math.random() * 40)) }
        // it may die before its flows have all started
        await red.start().catch(() => {})
        const end = performance.now() + PATIENCE_MS
        while (red.running && performance.now() < end) await pause(20)
        if (red.running) throw new Error(`it never passed ${name}`)
      }
      red.env = {}
      await red.start()
      return `${size.killsAtStep} kills`
    },
  }),
)
