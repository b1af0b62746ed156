export type Opcua = typeof import('node-opcua')

let loading: Promise<Opcua> | undefined

/** node-opcua takes a second to load: only plants that have an OPC UA server pay for it. */
export function loadOpcua(): Promise<Opcua> {
  loading ??= import('node-opcua').then((opcua) => {
    // it prints what it also tells through errors and events; its own switch brings the prints back
    if (process.env.NODEOPCUA_LOG_LEVEL === undefined) {
      opcua.setWarningLogger(() => {})
      opcua.setErrorLogger(() => {})
    }
    return opcua
  })
  return loading
}
