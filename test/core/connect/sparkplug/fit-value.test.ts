import assert from 'node:assert/strict'
import { DATA_TYPES as T } from '../../../../core/connect/sparkplug/datatypes.ts'
import { fitValue, Misfit } from '../../../../core/connect/sparkplug/fit-value.ts'

const fits: ReadonlyArray<readonly [string | number | boolean, keyof typeof T, unknown]> = [
  [5, 'Int8', 5],
  [-128, 'Int8', -128],
  ['-128', 'Int8', -128],
  [255, 'UInt8', 255],
  [65_535, 'UInt16', 65_535],
  [-2147483648, 'Int32', -2147483648],
  [4294967295, 'UInt32', 4294967295],
  ['9007199254740993', 'Int64', 9007199254740993n],
  ['-9223372036854775808', 'Int64', -9223372036854775808n],
  ['18446744073709551615', 'UInt64', 18446744073709551615n],
  [1_700_000_000_000, 'DateTime', 1_700_000_000_000],
  [1.5, 'Double', 1.5],
  ['1.5e3', 'Double', 1500],
  [0.1, 'Float', Math.fround(0.1)],
  [true, 'Boolean', true],
  ['false', 'Boolean', false],
  [7, 'String', '7'],
  ['x', 'Text', 'x'],
  ['123e4567-e89b-12d3-a456-426614174000', 'UUID', '123e4567-e89b-12d3-a456-426614174000'],
]

const misfits: ReadonlyArray<readonly [string | number | boolean | null, keyof typeof T]> = [
  [128, 'Int8'],
  [-129, 'Int8'],
  [-1, 'UInt8'],
  [1.5, 'Int32'],
  ['1.5', 'Int32'],
  [2 ** 53, 'Int64'],
  ['9223372036854775808', 'Int64'],
  ['18446744073709551616', 'UInt64'],
  [-1, 'DateTime'],
  [true, 'Int32'],
  ['', 'Double'],
  ['five', 'Double'],
  ['0x10', 'Double'],
  [Number.NaN, 'Double'],
  ['1e999', 'Double'],
  [1e300, 'Float'],
  [1, 'Boolean'],
  ['yes', 'Boolean'],
  ['not one', 'UUID'],
  [null, 'String'],
  [1, 'DataSet'],
  [1, 'Int32Array'],
]

describe('what a Sparkplug metric takes', () => {
  for (const [value, type, expected] of fits) it(`${typeof value} ${value} as ${type}`, () => assert.deepEqual(fitValue(value, T[type]), expected))
  for (const [value, type] of misfits) it(`not ${typeof value} ${value} as ${type}`, () => assert.ok(fitValue(value, T[type]) instanceof Misfit))
})
