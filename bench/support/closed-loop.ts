import { flowWithItsOwnPlant } from '../../test/e2e/support/closed-loop.ts'
import { NodeRedProcess } from '../../test/e2e/support/node-red-process.ts'

/** The reference flow in a Node-RED of its own, not yet started; with the young generation as `npm start` has it. */
export async function closedLoop(userDir: string): Promise<NodeRedProcess> {
  return new NodeRedProcess({ userDir, flow: await flowWithItsOwnPlant(), env: { NODE_OPTIONS: '--max-semi-space-size=4' } })
}
