import assert from 'node:assert/strict'
import { fillTemplate, isFilter, matchesFilter, TopicRouter, TopicTemplate } from '../../../core/connect/topics.ts'

describe('matchesFilter', () => {
  const cases: ReadonlyArray<readonly [string, string, boolean]> = [
    ['a/b', 'a/b', true],
    ['a/b', 'a/b/c', false],
    ['a/b/c', 'a/b', false],
    ['a/+/c', 'a/b/c', true],
    ['a/+', 'a', false],
    ['a/+', 'a/', true],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['#', 'a/b', true],
    ['#', '$SYS/broker', false],
    ['+/broker', '$SYS/broker', false],
    ['$SYS/#', '$SYS/broker', true],
    ['$share/workers/a/+', 'a/b', true],
    ['/a', 'a', false],
  ]
  for (const [filter, topic, expected] of cases) {
    it(`${filter} ${expected ? 'takes' : 'does not take'} ${topic}`, () => assert.equal(matchesFilter(filter, topic), expected))
  }
})

describe('isFilter', () => {
  it('knows what a broker accepts', () => {
    assert.deepEqual(['a/b', '+/a/#', '#', '$share/g/a', ''].map(isFilter), [true, true, true, true, false])
    assert.deepEqual(['a/#/b', 'a#', 'a+/b', 'a\0b'].map(isFilter), [false, false, false, false])
  })
})

describe('TopicRouter', () => {
  it('finds every taker, and forgets what it remembered when they change', () => {
    const router = new TopicRouter<string>()
    router.add('a/+', 'wild')
    assert.deepEqual(router.takers('a/b'), ['wild'])
    router.add('a/b', 'exact')
    assert.deepEqual(router.takers('a/b'), ['wild', 'exact'])
    router.remove('wild')
    assert.deepEqual(router.takers('a/b'), ['exact'])
    assert.deepEqual(router.takers('x'), [])
  })
})

describe('TopicTemplate', () => {
  it('lets the equipment span levels', () => {
    assert.deepEqual(
      { ...new TopicTemplate('{equipment}/{signal}').read('acme/line-1/mill-2/vibration') },
      { equipment: 'acme/line-1/mill-2', signal: 'vibration' },
    )
  })

  it('reads any names, ignores wildcards, and makes a topic of another form from them', () => {
    const names = new TopicTemplate('factory/{line}/+/{machine}/{group}-{signal}/#').read('factory/l1/x/mill.2/spindle-load/now')
    assert.deepEqual({ ...names }, { line: 'l1', machine: 'mill.2', group: 'spindle', signal: 'load' })
    assert.equal(fillTemplate('acme/{line}/{machine}/{group}.{signal}', names!), 'acme/l1/mill.2/spindle.load')
  })

  it('says when a topic has another form, or a name is missing', () => {
    assert.equal(new TopicTemplate('a/{signal}').read('b/c'), undefined)
    assert.equal(new TopicTemplate('a.b/{signal}').read('axb/c'), undefined)
    assert.equal(fillTemplate('{equipment}/{signal}', { signal: 'load' }), undefined)
    assert.equal(fillTemplate('{constructor}', {}), undefined)
  })

  it('refuses a name twice, and stray braces', () => {
    assert.throws(() => new TopicTemplate('{a}/{a}'), /twice/)
    assert.throws(() => new TopicTemplate('{a'), /braces/)
  })
})
