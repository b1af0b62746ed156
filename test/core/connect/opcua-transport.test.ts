import assert from 'node:assert/strict'
import { SERVER_TRANSPORT } from '../../../core/connect/opcua-transport.ts'

const granted = (receiveBufferSize: number, sendBufferSize: number, maxMessageSize: number, maxChunkCount: number) =>
  Object.values(SERVER_TRANSPORT.adjustTransportLimits({ receiveBufferSize, sendBufferSize, maxMessageSize, maxChunkCount }))

describe('OPC UA transport limits', () => {
  it('grants chunks of 8 to 64 kB, whatever is asked for', () => {
    assert.deepEqual(granted(655_360, 655_360, 0, 0), [65_536, 65_536, 16_777_216, 16_384])
    assert.deepEqual(granted(0, 1, 1000, 5), [65_536, 8192, 1000, 5])
    assert.deepEqual(granted(16_384, 9000, 0, 0).slice(0, 2), [16_384, 9000])
  })

  it('never more than 128 MB in one message', () => {
    assert.deepEqual(granted(65_536, 65_536, 2 ** 32 - 1, 2 ** 32 - 1).slice(2), [2 ** 27, 16_384])
  })
})
