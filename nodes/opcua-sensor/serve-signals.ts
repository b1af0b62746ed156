import type { NodeAPI } from 'node-red'
import type { PlantNode } from '../plant/plant.ts'

/** `GET takt/opcua-sensor/signals/<plant>` for the dialog: `<equipment>/<signal>` of every signal of a deployed plant; none where it is not deployed. */
export function serveSignals(RED: NodeAPI): void {
  RED.httpAdmin?.get('/takt/opcua-sensor/signals/:plant', RED.auth.needsPermission('takt-opcua-endpoint.read'), (request, response) => {
    const node = RED.nodes.getNode(String(request.params.plant)) as unknown as PlantNode | null
    try {
      const { equipment } = node?.plant().model ?? { equipment: [] }
      response.json(equipment.flatMap(({ id, signals }) => (signals ?? []).map(({ name }) => `${id}/${name}`)))
    } catch {
      response.json([])
    }
  })
}
