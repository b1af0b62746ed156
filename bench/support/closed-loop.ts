import { flowWithItsOwnPlant } from '../../test/e2e/support/closed-loop.ts'
import { NodeRedProcess } from '../../test/e2e/support/node-red-process.ts'

/** The reference flow in a Node-RED of its own, not yet started; Node.js spares memory as `npm start` has it. */
export async function closedLoop(userDir: string): Promise<NodeRedProcess> {
  return new NodeRedProcess({ userDir, flow: await flowWithItsOwnPlant(), nodeOptions: ['--optimize-for-size', '--max-semi-space-size=4'] })
}
