import assert from 'node:assert/strict'
import { checkPlant, plantFaults } from '../../../core/plant/check-plant.ts'
import { parsePlant } from '../../../core/plant/load-plant.ts'

const model = {
  plant: 'acme',
  timeZone: 'Europe/Berlin',
  equipment: [
    { id: 'acme/line-1', level: 'workCenter' },
    {
      id: 'acme/line-1/mill-1',
      level: 'workUnit',
      classes: ['mill'],
      calendar: 'day',
      downstream: ['acme/line-1/mill-2'],
      signals: [{ name: 'good', role: 'good-count', source: { connection: 'b', topic: 't', value: '$.good' } }],
    },
    { id: 'acme/line-1/mill-2', level: 'workUnit', classes: ['mill'], commands: [{ name: 'start-job', target: { connection: 'b', topic: 'c' } }] },
  ],
  calendars: { day: { shifts: [{ name: 'early', days: 'Mon-Fri', from: '06:00', to: '14:00' }] } },
  materials: [{ id: 'shaft', unit: 'pcs' }],
  workMasters: [
    {
      id: 'shaft',
      version: 1,
      produces: 'shaft',
      operations: [
        {
          id: '10',
          alternatives: [
            { class: 'mill', setupMs: 5, perPieceMs: 10 },
            { equipment: 'acme/line-1/mill-2', perPieceMs: 20 },
          ],
        },
        { id: '20', after: ['10'], alternatives: [{ class: 'mill', perPieceMs: 10 }], characteristics: [{ id: 'diameter', lower: 1, upper: 2 }] },
      ],
    },
    { id: 'shaft', version: 2, produces: 'shaft', operations: [{ id: '10', alternatives: [{ class: 'mill', perPieceMs: 9 }] }] },
  ],
  setups: { mill: { a: { b: 7 } } },
}

describe('Plant', () => {
  const plant = checkPlant(structuredClone(model), 'test')

  it('finds equipment, signals, commands, work masters', () => {
    assert.deepEqual(
      plant.units.map((unit) => unit.id),
      ['acme/line-1/mill-1', 'acme/line-1/mill-2'],
    )
    assert.equal(plant.signal('acme/line-1/mill-1/good')?.signal.role, 'good-count')
    assert.equal(plant.signalByRole('acme/line-1/mill-1', 'good-count')?.name, 'good')
    assert.equal(plant.signalsOfConnection('b').length, 1)
    assert.equal(plant.command('acme/line-1/mill-2', 'start-job')?.target.topic, 'c')
    assert.equal(plant.workMaster('shaft')?.version, 2)
    assert.equal(plant.characteristic('shaft@1', '20', 'diameter')?.upper, 2)
    assert.equal(plant.setupMs('acme/line-1/mill-1', 'a', 'b'), 7)
    assert.equal(plant.setupMs('acme/line-1/mill-1', 'b', 'a'), undefined)
  })

  it('resolves classes to units; a unit named by id keeps its own times', () => {
    const [operation] = plant.workMaster('shaft@1')!.operations
    const units = new Map(plant.unitsFor(operation!).map((unit) => [unit.equipment, unit.perPieceMs]))
    assert.deepEqual(Object.fromEntries(units), { 'acme/line-1/mill-1': 10, 'acme/line-1/mill-2': 20 })
  })

  it('is open by its calendar in its time zone, also across the change to summer time', () => {
    // Friday before the change (UTC+1) to Monday after it (UTC+2)
    const windows = plant.openWindows('acme/line-1/mill-1', Date.UTC(2026, 2, 27), Date.UTC(2026, 2, 31))
    assert.deepEqual(
      windows.map(({ from, to }) => [new Date(from).toISOString(), new Date(to).toISOString()]),
      [
        ['2026-03-27T05:00:00.000Z', '2026-03-27T13:00:00.000Z'],
        ['2026-03-30T04:00:00.000Z', '2026-03-30T12:00:00.000Z'],
      ],
    )
    assert.deepEqual(plant.openWindows('acme/line-1/mill-2', 5, 9), [{ from: 5, to: 9, shift: null }])
  })
})

describe('a calendar', () => {
  it('has night shifts that end the next day, and exceptions', () => {
    const plant = checkPlant(
      {
        plant: 'a',
        equipment: [{ id: 'a/u', level: 'workUnit', calendar: 'night' }],
        calendars: {
          night: {
            shifts: [{ name: 'night', days: 'Mon,Tue', from: '22:00', to: '06:00' }],
            exceptions: [
              { date: '2026-06-02', open: false },
              { date: '2026-06-04', open: true },
            ],
          },
        },
      },
      'test',
    )
    // Monday 1 June to Friday 5 June 2026, UTC
    const windows = plant.openWindows('a/u', Date.UTC(2026, 5, 1), Date.UTC(2026, 5, 6))
    assert.deepEqual(
      windows.map(({ from }) => new Date(from).toISOString()),
      ['2026-06-01T22:00:00.000Z', '2026-06-04T22:00:00.000Z'],
    )
    assert.equal(windows[0]!.to - windows[0]!.from, 8 * 3_600_000)
  })
})

describe('plantFaults', () => {
  it('lists every fault with its path', () => {
    const broken = structuredClone(model) as unknown as Record<string, any>
    broken.equipment[1].calendar = 'nights'
    broken.equipment[2].id = 'acme/line-1/mill-1'
    broken.workMasters[0].operations[1].after = ['99']
    broken.workMasters[0].operations[0].alternatives[0].class = 'lathe'
    broken.workMasters[1].produces = 'plate'
    broken.timeZone = 'Mars/Olympus'
    const paths = plantFaults(broken).map((fault) => fault.path)
    assert.deepEqual(paths.toSorted(), [
      '/equipment/1/calendar',
      '/equipment/1/downstream/0',
      '/equipment/2/id',
      '/timeZone',
      '/workMasters/0/operations/0/alternatives/0/class',
      '/workMasters/0/operations/0/alternatives/1/equipment',
      '/workMasters/0/operations/1/after/0',
      '/workMasters/1/produces',
    ])
  })

  it('takes from a job order receiver only what one tells', () => {
    const bound = structuredClone(model) as unknown as Record<string, any>
    const source = { connection: 'c', jobReceiver: 'ns=1;s=R' }
    bound.equipment[1].signals = [
      { name: 'job', role: 'job-order', source },
      { name: 'heat', role: 'condition', source },
    ]
    assert.deepEqual(
      plantFaults(bound).map((fault) => fault.path),
      ['/equipment/1/signals/1/role'],
    )
  })

  it('names keys that the schema does not know', () => {
    const faults = plantFaults({ ...model, equipmnt: [] })
    assert.match(faults[0]!.what, /equipmnt/)
  })

  it('finds operations that wait for each other', () => {
    const circle = structuredClone(model) as unknown as Record<string, any>
    circle.workMasters[0].operations[0].after = ['20']
    assert.deepEqual(plantFaults(circle), [{ path: '/workMasters/0/operations', what: 'the operations wait for each other in a circle' }])
  })
})

describe('parsePlant', () => {
  it('reads YAML and JSON', () => {
    assert.equal(parsePlant('plant: a\nequipment: []\n', 'test').model.plant, 'a')
    assert.equal(parsePlant('{"plant":"a","equipment":[]}', 'test').model.plant, 'a')
  })

  it('says where text is broken', () => assert.throws(() => parsePlant('plant: [', 'test'), { code: 'TAKT_PLANT_UNREADABLE' }))

  it('refuses a model that could alter objects', () => {
    assert.throws(() => parsePlant('{"plant":"a","equipment":[],"calendars":{"__proto__":{}}}', 'test'), /TAKT_(MESSAGE_FORBIDDEN_KEY|PLANT_INVALID)/)
  })
})
