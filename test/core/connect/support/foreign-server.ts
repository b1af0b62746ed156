import { OPCUAServer } from 'node-opcua'
import { build_address_space_for_conformance_testing } from 'node-opcua-address-space-for-conformance-testing'

/**
 * A server as its vendor ships it: the library's own defaults for everything (certificates, policies, limits, sampling) and the address space that it is
 * tested with for conformance, in a process of its own. Argument: the port. Says `TAKT-READY`.
 */
const server = new OPCUAServer({ port: Number(process.argv[2]), hostname: '127.0.0.1' })
await server.initialize()
await build_address_space_for_conformance_testing(server.engine.addressSpace!, { mass_variables: false })
await server.start()
console.log('TAKT-READY')
