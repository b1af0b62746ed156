import assert from 'node:assert/strict'
import * as opcua from 'node-opcua'
import { seededRandom } from '../../../../core/base/random.ts'
import { jobOrderOf, jobOrderOfCommand, methodOfCommand } from '../../../../core/connect/job-control/job-order-of-command.ts'
import type { JobOrderRecord, ParameterRecord } from '../../../../core/connect/job-control/job-record.ts'
import { readState, stateFields } from '../../../../core/connect/job-control/job-states.ts'
import { quantitiesOf } from '../../../../core/connect/job-control/machine-response.ts'
import { readJobOrder } from '../../../../core/connect/job-control/read-record.ts'
import { bitsOf, describeStatus, isNoError, returnStatusOf } from '../../../../core/connect/job-control/return-status.ts'
import { jobOrderFields } from '../../../../core/connect/job-control/write-record.ts'
import type { Command } from '../../../../core/messages/command.ts'
import { JOB_ORDER_STATES, JOB_ORDER_SUBSTATES } from '../../../../core/messages/job-order.ts'

describe('job control on the wire', () => {
  it('a job order that is written and read again is the same, whatever it holds', () => {
    const random = seededRandom(100_314)
    const whole = (most: number): number => Math.floor(random() * most)
    const values: ReadonlyArray<() => Pick<ParameterRecord, 'type' | 'value'>> = [
      () => ({ type: 'Double', value: random() * 1e9 - 5e8 }),
      () => ({ type: 'Int32', value: whole(2 ** 31) }),
      () => ({ type: 'UInt64', value: String((BigInt(whole(2 ** 31)) << 33n) + 1n) }),
      () => ({ type: 'Int64', value: String(-(BigInt(whole(2 ** 31)) << 31n) - 1n) }),
      () => ({ type: 'Int64', value: ['-1', '9007199254740993', '0'] }),
      () => ({ type: 'String', value: `ü漢🙂 ${whole(1e6)}` }),
      () => ({ type: 'Boolean', value: random() < 0.5 }),
      () => ({ type: 'DateTime', value: new Date(1.7e12 + whole(1e10)).toISOString() }),
      () => ({ type: 'Double', value: [1.5, -2, 0] }),
      () => ({ type: 'Null', value: null }),
    ]
    const parameter = (depth: number): ParameterRecord => ({
      id: `p${whole(1000)}`,
      ...(values[whole(values.length)] as () => Pick<ParameterRecord, 'type' | 'value'>)(),
      ...(random() < 0.3 ? { unit: 'mm' } : {}),
      ...(depth > 0 && random() < 0.4 ? { sub: [parameter(depth - 1)] } : {}),
    })
    for (let round = 0; round < 300; round++) {
      const record: JobOrderRecord = {
        id: `J-${round}`,
        ...(random() < 0.5 ? { description: 'what it is' } : {}),
        ...(random() < 0.5 ? { workMasters: [{ id: 'a@1', parameters: [parameter(2)] }, { id: 'b' }] } : {}),
        ...(random() < 0.5 ? { start: 1.8e12 + whole(1e9), end: 1.9e12 } : {}),
        ...(random() < 0.5 ? { priority: whole(65_536) - 32_768 } : {}),
        parameters: Array.from({ length: 1 + whole(5) }, () => parameter(5)),
        ...(random() < 0.3 ? { equipment: [{ id: 'p/mill', use: 'Used', quantity: '1.25', unit: 'pcs', properties: [parameter(2)] }] } : {}),
        ...(random() < 0.3 ? { materials: [{ definition: 'bar', lot: 'lot-1', sublot: 's', use: 'Consumed', quantity: '4', unit: 'm' }] } : {}),
      }
      assert.deepEqual(readJobOrder(jobOrderFields(record, opcua), 'test'), record)
    }
  })

  it('every state is written and read again, and told by its number where texts are translated', () => {
    for (const state of JOB_ORDER_STATES) {
      for (const substate of [null, ...JOB_ORDER_SUBSTATES[state]]) {
        const fields = stateFields({ state, substate }, 2) as Array<{ stateText: { text: string } }>
        assert.deepEqual(readState(fields), { state, substate })
        assert.deepEqual(readState(fields.map((field) => ({ ...field, stateText: { text: 'läuft' } }))), { state, substate })
      }
    }
    for (const wrong of [undefined, null, [], [null], [{ stateNumber: 7 }], 'Running']) assert.equal(readState(wrong), undefined)
  })

  it('a return status is a map of bits, as the specification numbers them', () => {
    assert.deepEqual(returnStatusOf(['NoError']), [0, 1])
    assert.deepEqual(returnStatusOf(['UnknownJobOrderId', 'InvalidJobOrderStatus']), [0, 10])
    assert.deepEqual(returnStatusOf(['InvalidRequest', 'UnableToAcceptJobOrder']), [1, 16])
    assert.deepEqual(bitsOf([0x8000_0000, 0x8000_0000]), [31, 63])
    assert.equal(describeStatus([1, 2]), 'the job order id is not known; the request is invalid')
    assert.equal(describeStatus([2, 0]), 'code 33', 'what a foreign server means by a number of its own is not ours to say')
    for (const good of [[0, 1], [0, 0], 1, undefined]) assert.equal(isNoError(good), true)
    for (const bad of [[0, 2], [1, 0], 8n]) assert.equal(isNoError(bad), false)
  })

  it('commands of the plant model are methods by their names', () => {
    for (const [name, method] of [
      ['start-job', 'StoreAndStart'],
      ['StartJob', 'StoreAndStart'],
      ['stop', 'Stop'],
      ['stop-job', 'Stop'],
      ['pause job order', 'Pause'],
      ['revoke', 'RevokeStart'],
      ['reset', undefined],
      ['__proto__', undefined],
      ['constructor', undefined],
    ] as const)
      assert.equal(methodOfCommand(name), method, name)
  })

  it('a command is a full job order: material, quantity, times, and every argument under its name', () => {
    const command: Command = {
      kind: 'command',
      id: 'cmd-1',
      to: 'p/mill',
      name: 'start-job',
      arguments: {
        jobOrder: 'jo-1',
        product: 'shaft',
        operation: '20-mill',
        lot: 'lot-1',
        quantity: 1e-7,
        end: 1.9e12,
        priority: 1e6,
        urgent: true,
        setupMs: null,
      },
    }
    const record = jobOrderOfCommand(command, 'test')
    assert.deepEqual(record.materials, [{ definition: 'shaft', lot: 'lot-1', use: 'Produced', quantity: '0.0000001' }])
    assert.deepEqual([record.id, record.workMasters?.[0]?.id, record.end, record.priority], ['jo-1', 'shaft/20-mill', 1.9e12, 32_767])
    assert.deepEqual(
      record.parameters?.map(({ id }) => id),
      ['product', 'operation', 'lot', 'quantity', 'end', 'priority', 'urgent', 'Takt.Command'],
    )
    for (const jobOrder of ['', null, 5, 'x'.repeat(101)])
      assert.throws(() => jobOrderOf({ ...command, arguments: { jobOrder } }, 'test'), { code: 'TAKT_JOB_CONTROL_INVALID' })
  })

  it('quantities are found under the names that machines use, and told apart from none', () => {
    const response = { id: 'r', jobOrder: 'j', state: 'Ended', substate: null }
    assert.deepEqual(
      quantitiesOf({
        ...response,
        data: [
          { id: 'goodcount', type: 'UInt64', value: '12' },
          { id: 'Rejected', type: 'Double', value: 0 },
        ],
      }),
      { good: 12, scrap: 0 },
    )
    assert.deepEqual(
      quantitiesOf({
        ...response,
        materials: [
          { use: 'Produced', quantity: '3' },
          { use: 'Produced', quantity: '4' },
          { use: 'Scrap', quantity: '1' },
        ],
      }),
      { good: 7, scrap: 1 },
    )
    assert.deepEqual(quantitiesOf(response), { good: undefined, scrap: undefined })
    assert.deepEqual(quantitiesOf({ ...response, data: [{ id: 'Good', type: 'Double', value: -1 }] }), { good: undefined, scrap: undefined })
  })
})
