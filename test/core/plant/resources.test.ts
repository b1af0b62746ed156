import assert from 'node:assert/strict'
import { plantFaults } from '../../../core/plant/check-plant.ts'
import type { PlantModel } from '../../../core/plant/model.ts'
import { Plant } from '../../../core/plant/plant.ts'
import { capacityOf } from '../../../core/plant/resource-time.ts'

const HOUR = 3_600_000

function model(change: Partial<PlantModel> = {}): PlantModel {
  return {
    plant: 'p',
    timeZone: 'Europe/Berlin',
    equipment: [{ id: 'p/mill', level: 'workUnit', classes: ['mill'] }],
    calendars: {
      two: {
        shifts: [
          { name: 'early', days: 'Mon-Fri', from: '06:00', to: '14:00' },
          { name: 'late', days: 'Mon-Fri', from: '14:00', to: '22:00' },
        ],
      },
    },
    personnel: [
      { id: 'milling', people: { early: 3, late: 1 }, calendar: 'two' },
      { id: 'mechanics', people: 2 },
    ],
    tools: [{ id: 'fixture-7', name: 'Fixture 7', count: 2, away: [{ from: '2026-01-06 08:00', to: '2026-01-06 12:00', why: 'at the grinder' }] }],
    materials: [{ id: 'shaft', unit: 'pcs' }],
    workMasters: [
      {
        id: 'shaft',
        version: 1,
        produces: 'shaft',
        operations: [
          {
            id: '10',
            skills: ['milling'],
            needs: [{ tool: 'fixture-7' }, { personnel: 'milling', count: 2 }],
            alternatives: [
              { class: 'mill', perPieceMs: 5 },
              { equipment: 'p/mill', perPieceMs: 4, needs: [] },
            ],
          },
        ],
      },
    ],
    ...change,
  }
}

const paths = (changed: Partial<PlantModel>): string[] => plantFaults(model(changed)).map(({ path }) => path)

describe('resources of a plant model', () => {
  it('are added up by operation, or said anew by an alternative', () => {
    const plant = new Plant(
      model({
        equipment: [
          { id: 'p/mill', level: 'workUnit', classes: ['mill'] },
          { id: 'p/mill-2', level: 'workUnit', classes: ['mill'] },
        ],
      }),
    )
    const [operation] = plant.workMaster('shaft')!.operations
    const needs = new Map(plant.unitsFor(operation!).map((unit) => [unit.equipment, unit.needs]))
    assert.deepEqual(needs.get('p/mill-2'), [
      { resource: 'milling', count: 3 },
      { resource: 'fixture-7', count: 1 },
    ])
    assert.equal(needs.get('p/mill'), undefined)
    assert.equal(plant.nameOf('fixture-7'), 'Fixture 7')
  })

  it('say nothing of people where a model has none', () => {
    const { personnel: _, ...without } = model()
    const operations = [{ id: '10', skills: ['milling'], alternatives: [{ class: 'mill', perPieceMs: 5 }] }]
    const plain = { ...without, workMasters: [{ id: 'shaft', version: 1, produces: 'shaft', operations }] }
    assert.deepEqual(plantFaults(plain), [])
    assert.equal(new Plant(plain).unitsFor(operations[0]!)[0]?.needs, undefined)
  })

  it('name every error with its path', () => {
    assert.deepEqual(plantFaults(model()), [])
    assert.deepEqual(paths({ tools: [{ id: 'milling', count: 1 }] }).sort(), ['/tools/0/id', '/workMasters/0/operations/0/needs/0/tool'])
    assert.deepEqual(
      paths({
        personnel: [
          { id: 'milling', people: { early: 1, night: 1 }, calendar: 'two' },
          { id: 'mechanics', people: 1 },
        ],
      }),
      ['/personnel/0/people/night'],
    )
    assert.deepEqual(paths({ personnel: [{ id: 'milling', people: { early: 3 } }] }), ['/personnel/0/people'])
    assert.deepEqual(paths({ personnel: [{ id: 'milling', people: 3, calendar: 'none' }] }), ['/personnel/0/calendar'])
    assert.deepEqual(paths({ personnel: [{ id: 'milling', people: 1 }] }), ['/workMasters/0/operations/0/needs/1'])
    assert.deepEqual(paths({ personnel: [{ id: 'turning', people: 3 }] }), [
      '/workMasters/0/operations/0/skills/0',
      '/workMasters/0/operations/0/needs/1/personnel',
    ])
    assert.deepEqual(
      paths({
        tools: [{ id: 'fixture-7', count: 1, away: [{ from: 'soon' }, { from: '2026-01-06', to: '2026-01-05' }, { from: '2026-01-06', to: 'later' }] }],
      }),
      ['/tools/0/away/0/from', '/tools/0/away/1', '/tools/0/away/2/to'],
    )
    const repairs = { planned: { durationMs: HOUR }, unplanned: { durationMs: HOUR } }
    const mill = (maintenance: object) => [{ id: 'p/mill', level: 'workUnit' as const, classes: ['mill'], maintenance: { ...repairs, ...maintenance } }]
    assert.deepEqual(paths({ equipment: mill({ crew: 'mechanics', crewSize: 2 }) }), [])
    assert.deepEqual(paths({ equipment: mill({ crew: 'mechanics', crewSize: 3 }) }), ['/equipment/0/maintenance/crewSize'])
    assert.deepEqual(paths({ equipment: mill({ crew: 'nobody', crewSize: 1 }) }), ['/equipment/0/maintenance/crewSize'])
    assert.deepEqual(paths({ equipment: mill({ crew: 'whoever is there' }) }), [])
    const both = [{ id: '10', needs: [{ tool: 'fixture-7', personnel: 'milling' }], alternatives: [{ class: 'mill', perPieceMs: 5, needs: [{}] }] }]
    assert.deepEqual(paths({ workMasters: [{ id: 'shaft', version: 1, produces: 'shaft', operations: both }] }), [
      '/workMasters/0/operations/0/needs/0',
      '/workMasters/0/operations/0/alternatives/0/needs/0',
    ])
  })

  it('are as many as their shifts, less those that are away', () => {
    const plant = new Plant(model())
    // Tuesday, local midnight
    const day = Date.UTC(2026, 0, 5, 23)
    const people = capacityOf(plant.resource('milling')!, plant, day, day + 24 * HOUR)
    assert.equal(people.most, 3)
    assert.deepEqual(
      people.reduced.map(({ from, to, capacity }) => [(from - day) / HOUR, (to - day) / HOUR, capacity]),
      [
        [0, 6, 0],
        [14, 22, 1],
        [22, 24, 0],
      ],
    )
    const ill = { from: day + 7 * HOUR, to: Number.POSITIVE_INFINITY, count: 2 }
    const fewer = capacityOf(plant.resource('milling')!, plant, day, day + 24 * HOUR, [ill])
    assert.deepEqual([fewer.most, ...fewer.reduced.map(({ from, capacity }) => [(from - day) / HOUR, capacity])], [3, [0, 0], [7, 1], [14, 0]])
    const fixtures = capacityOf(plant.resource('fixture-7')!, plant, day, day + 24 * HOUR)
    assert.deepEqual([fixtures.most, ...fixtures.reduced.map(({ from, to, capacity }) => [(from - day) / HOUR, (to - day) / HOUR, capacity])], [2, [8, 12, 1]])
    assert.deepEqual(capacityOf({ id: 'none', count: 0 }, plant, day, day + HOUR), { most: 0, reduced: [] })
  })

  it('are never more than people where shifts of one number overlap', () => {
    const overlapping = {
      shifts: [
        { name: 'a', days: 'Mon-Sun', from: '06:00', to: '15:00' },
        { name: 'b', days: 'Mon-Sun', from: '14:00', to: '22:00' },
      ],
    }
    const plant = new Plant(model({ calendars: { two: overlapping } }))
    const day = Date.UTC(2026, 0, 5, 23)
    const { most, reduced } = capacityOf({ id: 'x', people: 2, calendar: 'two' }, plant, day, day + 24 * HOUR)
    assert.deepEqual([most, reduced.length], [2, 2])
    const byShift = capacityOf({ id: 'x', people: { a: 2, b: 1 }, calendar: 'two' }, plant, day, day + 24 * HOUR)
    assert.equal(byShift.most, 3, 'both are there in the hour that the shifts share')
  })
})
