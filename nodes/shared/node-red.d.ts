/**
 * What the community types of Node-RED lack or say wrongly. Only what Takt uses is declared here.
 */
import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red'

declare module 'node-red' {
  interface NodeAPISettingsWithData {
    userDir?: string
  }
}

export type { Node, NodeAPI, NodeDef, NodeMessageInFlow }
