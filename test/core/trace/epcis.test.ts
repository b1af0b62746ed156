import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import { packageRoot } from '../../../core/base/package-root.ts'
import { seededRandom } from '../../../core/base/random.ts'
import { type CaptureOptions, captureEpcis } from '../../../core/trace/epcis/capture.ts'
import { checkEpcis } from '../../../core/trace/epcis/check.ts'
import { exportDocument, exportEpcis } from '../../../core/trace/epcis/export.ts'
import { checkIds, DEFAULT_IDS, type EpcisIds, lotOfUri, uriOfLot } from '../../../core/trace/epcis/ids.ts'
import { offsetAt } from '../../../core/trace/epcis/to-epcis.ts'
import { recallList } from '../../../core/trace/recall.ts'
import { code, Ground, NOW } from './support/ground.ts'

const root = join(process.env.TAKT_BENCH_DATA ?? join(packageRoot, '..', 'shared'), 'schemas')
const schemaFile = join(root, 'EPCIS-JSON-Schema.json')
const present = existsSync(schemaFile)
const absent = `the EPCIS schema and its examples are not here (TAKT_BENCH_DATA points elsewhere): not checked against them`

type Document = Record<string, unknown> & { epcisBody?: { eventList?: Document[] } }

let compiled: ValidateFunction | undefined
/** The standard's own schema, with the formats that it names. */
function standard(): ValidateFunction {
  if (compiled !== undefined) return compiled
  const ajv = new Ajv({ strict: false, allErrors: true })
  ajv.addFormat('uri', /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/)
  ajv.addFormat('date-time', (text) => /[Tt].*([Zz]|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text)))
  compiled = ajv.compile(JSON.parse(readFileSync(schemaFile, 'utf8')))
  return compiled
}
const examples = present ? globSync('epcis-examples/**/*.jsonld', { cwd: root }).sort() : []
const read = (file: string): Document => JSON.parse(readFileSync(join(root, file), 'utf8')) as Document

const GTINS: EpcisIds = {
  ...DEFAULT_IDS,
  base: 'https://acme.example/takt',
  gtins: { shaft: { gtin: '04012345123456', companyPrefix: 7 }, motor: { gtin: '4012345111118', companyPrefix: 7 } },
}

describe('EPCIS 2.0', () => {
  let ground: Ground
  const options: CaptureOptions = {
    actor: 'node:trace',
    heldLots: 'refuse',
    unknownLots: 'refuse',
    ids: DEFAULT_IDS,
    onError: 'rollback',
    book: false,
    where: 'test',
  }
  const capture = (document: unknown, more: Partial<CaptureOptions> = {}) => captureEpcis(ground.store, ground.plant, document, { ...options, ...more })
  beforeEach(() => {
    ground = new Ground()
  })
  afterEach(() => ground.close())

  const event = (fields: Document = {}): Document => ({
    type: 'ObjectEvent',
    eventTime: '2026-01-05T06:00:00Z',
    eventTimeZoneOffset: '+01:00',
    action: 'OBSERVE',
    bizStep: 'inspecting',
    epcList: ['urn:epc:id:sgtin:0614141.107346.2017'],
    ...fields,
  })
  const document = (...eventList: unknown[]): Document => ({
    '@context': ['https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld'],
    type: 'EPCISDocument',
    schemaVersion: '2.0',
    creationDate: '2026-01-05T06:00:00Z',
    epcisBody: { eventList: eventList as Document[] },
  })

  describe("the standard's examples", () => {
    it('are here, with the schema', function () {
      if (!present) {
        console.warn(`      ${absent}`)
        this.skip()
      }
      assert.equal(examples.length, 47)
    })

    for (const file of examples) {
      it(`${relative('epcis-examples/JSON', file)} is valid and comes back as it was`, async () => {
        const original = read(file)
        assert.deepEqual(checkEpcis(original), [])
        const captured = await capture(readFileSync(join(root, file), 'utf8'), { book: true, unknownLots: 'open' })
        const again = await exportDocument(ground.store, captured.document)
        assert.deepEqual(again, original)
        const validate = standard()
        assert.ok(validate(again), JSON.stringify(validate.errors))
        const { sequence } = await ground.store.head()
        const twice = await capture(original)
        assert.deepEqual([twice.document, new Set(twice.events.map(({ outcome }) => outcome))], [captured.document, new Set(['known'])])
        assert.equal((await ground.store.head()).sequence, sequence)
        assert.ok((await ground.store.verify()).ok)
      })
    }

    it('are judged as the schema judges them, also with something wrong in them', function () {
      if (!present) this.skip()
      const validate = standard()
      const random = seededRandom(11)
      const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
      const junk = [undefined, null, 7, '', 'foo', 'no uri', 'urn:x:y', [], {}, 'ADD', '2026-01-05', true, [{}]]
      let wrong = 0
      for (let round = 0; round < 400; round++) {
        const mutant = read(pick(examples))
        let at: Record<string, unknown> = mutant
        for (let depth = 0; depth < 6; depth++) {
          const inner = pick(Object.keys(at))
          const value = at[inner]
          // what stands in contexts and headers, and in extensions, is nobody's business
          if (inner === '@context' || inner.includes(':') || inner === 'epcisHeader') break
          if (typeof value === 'object' && value !== null && Object.keys(value).length > 0 && random() < 0.8) {
            at = value as Record<string, unknown>
            continue
          }
          const put = pick(junk)
          if (put === undefined && !Array.isArray(at)) delete at[inner]
          else at[inner] = put ?? null
          break
        }
        const schema = validate(mutant)
        const ours = checkEpcis(mutant)
        if (!schema) wrong++
        assert.equal(ours.length === 0, schema, `${JSON.stringify(ours)}\n${JSON.stringify(validate.errors?.slice(0, 5))}\n${JSON.stringify(mutant)}`)
      }
      assert.ok(wrong > 100, `${wrong} mutants were wrong`)
    })
  })

  describe('capture', () => {
    it('says what is wrong and where, and captures nothing of the document then', async () => {
      const bad = document(
        event(),
        event({ action: 'LOOK', bizStep: 'dreaming' }),
        event({ eventTime: 'yesterday', foo: 1, quantityList: [{ epcClass: 'x', uom: 'kilo' }] }),
      )
      const thrown = await capture(bad).then(
        () => assert.fail(),
        (error) => error as { code: string; what: string },
      )
      assert.equal(thrown.code, 'TAKT_EPCIS_INVALID')
      for (const part of [
        '/epcisBody/eventList/1/action',
        '"LOOK"',
        '/1/bizStep',
        '/2/eventTime',
        '"yesterday"',
        '/2/foo',
        '/2/quantityList/0/epcClass',
        '/2/quantityList/0/uom',
      ])
        assert.ok(thrown.what.includes(part), part)
      assert.equal((await ground.store.db.selectFrom('epcis_event').selectAll().execute()).length, 0)
    })

    it('captures the others where it is told to proceed', async () => {
      const { events, document: id } = await capture(document(event({ eventID: 'urn:uuid:1' }), event({ action: 'LOOK' }), event({ eventID: 'urn:uuid:3' })), {
        onError: 'proceed',
      })
      assert.deepEqual(
        events.map(({ outcome, problem }) => [outcome, problem?.code]),
        [
          ['captured', undefined],
          ['refused', 'TAKT_EPCIS_INVALID'],
          ['captured', undefined],
        ],
      )
      const again = (await exportDocument(ground.store, id)) as Document
      assert.deepEqual(
        again.epcisBody?.eventList?.map(({ eventID }) => eventID),
        ['urn:uuid:1', 'urn:uuid:3'],
      )
      assert.equal(await code(capture({ ...document(event()), schemaVersion: 'two' }, { onError: 'proceed' })), 'TAKT_EPCIS_INVALID')
    })

    it('refuses another body under an eventID, and takes the declaration of its error', async () => {
      const first = event({ eventID: 'urn:uuid:1' })
      await capture(document(first))
      assert.equal(await code(capture(document(event({ eventID: 'urn:uuid:2' }), { ...first, bizStep: 'storing' }))), 'TAKT_EPCIS_EXISTS_DIFFERENT')
      assert.equal((await ground.store.db.selectFrom('epcis_event').select('id').execute()).length, 1, 'nothing of the second document')
      const proceed = await capture(document(event({ eventID: 'urn:uuid:2' }), { ...first, bizStep: 'storing' }), { onError: 'proceed' })
      assert.deepEqual(
        proceed.events.map(({ outcome }) => outcome),
        ['captured', 'refused'],
      )
      await capture(document({ ...first, errorDeclaration: { declarationTime: '2026-01-06T06:00:00Z', reason: 'did_not_occur' } }))
      assert.equal((await ground.store.db.selectFrom('epcis_event').select('id').execute()).length, 3)
    })

    it('refuses what is no document, and bodies that could alter objects', async () => {
      for (const nothing of [null, 7, [], 'not json {', '{"type":"EPCISDocument"}', '[]', {}, { type: 'ObjectEvent' }])
        assert.match(await code(capture(nothing)), /^TAKT_(EPCIS_INVALID|MESSAGE_NOT_JSON)$/, JSON.stringify(nothing))
      assert.equal(await code(capture(`{"__proto__":{"x":1},"type":"EPCISDocument"}`)), 'TAKT_MESSAGE_FORBIDDEN_KEY')
      assert.equal(await code(capture(document(...Array.from({ length: 10_001 }, () => event())))), 'TAKT_MESSAGE_TOO_LARGE')
    })

    it('keeps NUL, lone surrogates, a megabyte and SQL in extensions as they came, and refuses them in ids', async () => {
      const nasty = `'); drop table lot; -- \0 \ud800 <script>`
      const original = document(event({ 'ext:note': nasty, 'ext:long': 'x'.repeat(1_000_000), eventID: 'urn:uuid:9' }))
      const { document: id } = await capture(original)
      assert.deepEqual(await exportDocument(ground.store, id), original)
      assert.ok((await ground.store.verify()).ok)
      for (const bad of ['urn:x:\0', 'urn:x:\ud800', `urn:${'x'.repeat(1_000_000)}`, `urn:x:'); drop table lot`])
        assert.equal(await code(capture(document(event({ eventID: bad })))), 'TAKT_EPCIS_INVALID', bad.slice(0, 30))
      assert.equal(await code(exportDocument(ground.store, `' or 1=1 --`)), 'TAKT_EPCIS_UNKNOWN')
    })

    it('books what moves stock, once, and says why it could not', async () => {
      const class1 = 'https://id.gs1.org/01/04012345123456/10/lot-1'
      const epc = (fields: Document) => event({ epcList: undefined as never, ...fields })
      const clean = (fields: Document): Document => JSON.parse(JSON.stringify(epc(fields))) as Document
      const told = document(
        clean({ eventID: 'urn:uuid:1', action: 'ADD', bizStep: 'commissioning', quantityList: [{ epcClass: class1, quantity: 10 }] }),
        clean({
          eventID: 'urn:uuid:2',
          type: 'AggregationEvent',
          action: 'ADD',
          bizStep: 'packing',
          parentID: 'urn:epc:id:sscc:0614141.1234567890',
          childQuantityList: [{ epcClass: class1, quantity: 6 }],
        }),
        clean({
          eventID: 'urn:uuid:3',
          bizStep: 'shipping',
          epcList: ['urn:epc:id:sscc:0614141.1234567890'],
          destinationList: [{ type: 'possessing_party', destination: 'urn:epc:id:pgln:0614141.00777' }],
        }),
        clean({
          eventID: 'urn:uuid:4',
          bizStep: 'shipping',
          quantityList: [{ epcClass: class1, quantity: 6 }],
          destinationList: [{ type: 'possessing_party', destination: 'urn:x:y' }],
        }),
        event({ eventID: 'urn:uuid:5' }),
      )
      const first = await capture(told, { book: true, ids: GTINS })
      assert.deepEqual(
        first.events.map(({ genealogy, problem }) => genealogy?.event ?? problem?.code),
        ['produce', 'pack', 'ship', 'TAKT_TRACE_BEYOND_STOCK', undefined],
      )
      assert.equal(await ground.stock('lot-1'), 4)
      assert.deepEqual((await recallList(ground.store, 'lot-1')).parties, ['urn:epc:id:pgln:0614141.00777'])
      await capture(told, { book: true, ids: GTINS })
      assert.equal(await ground.stock('lot-1'), 4)
      const rows = await ground.store.db.selectFrom('epcis_event').select(['id', 'problem']).where('problem', 'is not', null).orderBy('id').execute()
      assert.deepEqual(
        rows.map(({ id, problem }) => `${id} ${problem?.slice(0, 26)}`),
        ['urn:uuid:4 TAKT_TRACE_BEYOND_STOCK: 6', 'urn:uuid:5 ObjectEvent OBSERVE inspec'],
      )
      // and given on as it came, in the context that it came with
      const exported = (await exportEpcis(ground.store, ground.plant, { lot: 'lot-1' }, { ids: GTINS, timeZone: 'Europe/Berlin' }, NOW)) as Document
      assert.deepEqual(exported.epcisBody?.eventList?.[0], { '@context': told['@context'], ...told.epcisBody?.eventList?.[0] })
    })
  })

  describe('export', () => {
    async function everything(): Promise<void> {
      await ground.tell('receive', {}, { bar: 6, 'odd unit': [3, 'bottles', 'oil'] }, { party: 'Steel Ltd & Söhne', location: 'store 1', equipment: 'p/saw' })
      await ground.tell('transform', { bar: 4.8 }, { 'lot-1': [12, 'pcs', 'shaft'] })
      await ground.tell('produce', {}, { 'sn-1': [1, 'pcs', 'motor'] })
      await ground.tell('split', { 'lot-1': [6, 'pcs'] }, { 'lot-1/a': [6, 'pcs'] })
      await ground.tell('merge', { 'lot-1/a': [2, 'pcs'] }, { 'lot-2': [2, 'pcs'] })
      await ground.tell('rework', { 'lot-2': [1, 'pcs'] }, { 'lot-2/r': [1, 'pcs'] })
      await ground.tell('consume', { bar: 0.2, 'odd unit': [1, 'bottles'] }, {})
      await ground.tell('pack', { 'lot-1': [5, 'pcs'], 'sn-1': [1, 'pcs'] }, { '340123450000000017': [1, 'pcs'] })
      await ground.tell('unpack', { '340123450000000017': [1, 'pcs'] }, { 'lot-1': [1, 'pcs'] })
      await ground.tell('ship', { '340123450000000017': [1, 'pcs'] }, {}, { party: 'urn:epc:id:pgln:0614141.00777' })
      await ground.tell('scrap', { 'lot-1': [1, 'pcs'] }, {})
      await ground.tell('adjust', { bar: 0.5 }, {})
    }

    for (const scheme of ['uri', 'digital-link', 'urn'] as const) {
      it(`writes every kind of event as valid EPCIS with ids as ${scheme}, and captures them again`, async () => {
        await everything()
        const ids = checkIds({ ...GTINS, scheme }, 'test')
        const exported = (await exportEpcis(ground.store, ground.plant, { from: 0, to: NOW + 1 }, { ids, timeZone: 'Europe/Berlin' }, NOW)) as Document
        assert.equal(exported.epcisBody?.eventList?.length, 12)
        assert.deepEqual(checkEpcis(exported), [])
        if (present) {
          const validate = standard()
          assert.ok(validate(exported), JSON.stringify(validate.errors))
        }
        const [received, transformed] = exported.epcisBody?.eventList ?? []
        assert.equal(received?.eventTimeZoneOffset, '+01:00')
        const output = ((transformed?.outputQuantityList ?? []) as Document[])[0]?.epcClass
        const expected = {
          uri: 'https://acme.example/takt/lot/lot-1',
          'digital-link': 'https://id.gs1.org/01/04012345123456/10/lot-1',
          urn: 'urn:epc:class:lgtin:4012345.012345.lot-1',
        }
        assert.equal(output, expected[scheme])
        // another plant that has none of it takes the document, and books the same
        const other = new Ground()
        try {
          const captured = await captureEpcis(other.store, other.plant, exported, { ...options, ids, book: true, unknownLots: 'open' })
          assert.deepEqual(await exportDocument(other.store, captured.document), exported)
          assert.deepEqual(
            captured.events.map(({ genealogy, problem }) => genealogy?.event ?? problem?.message),
            ['receive', 'transform', 'produce', 'split', 'merge', 'rework', 'consume', 'pack', 'unpack', 'ship', 'scrap', 'adjust'],
          )
          const stocks = (of: Ground) => of.store.db.selectFrom('lot_stock').select(['lot', 'material', 'unit', 'on_hand', 'packed']).orderBy('lot').execute()
          assert.deepEqual(await stocks(other), await stocks(ground))
        } finally {
          await other.close()
        }
      })
    }

    it('gives the events of a lot and of what it was made from', async () => {
      await everything()
      const settings = { ids: DEFAULT_IDS, timeZone: 'UTC' }
      const back = (await exportEpcis(ground.store, ground.plant, { lot: 'lot-2/r' }, settings, NOW)) as Document
      assert.deepEqual(
        back.epcisBody?.eventList?.map((of) => of['takt:event']),
        ['receive', 'transform', 'split', 'merge', 'rework', 'consume', 'pack', 'unpack', 'scrap', 'adjust'],
      )
      const own = (await exportEpcis(ground.store, ground.plant, { lot: 'sn-1', direction: 'none' }, settings, NOW)) as Document
      assert.deepEqual(
        own.epcisBody?.eventList?.map((of) => of['takt:event']),
        ['produce', 'pack'],
      )
      assert.equal(await code(exportEpcis(ground.store, ground.plant, { lot: 'none' }, settings, NOW)), 'TAKT_LOT_UNKNOWN')
    })
  })

  describe('ids', () => {
    it('go there and back', () => {
      for (const scheme of ['uri', 'digital-link', 'urn'] as const) {
        const ids = { ...GTINS, scheme }
        for (const lot of ['lot-1', 'a/b c', "L'été 批次 100%", 'x'.repeat(60)])
          for (const [material, level] of [
            ['shaft', 'class'],
            ['motor', 'instance'],
            ['steel', 'class'],
          ] as const) {
            const uri = uriOfLot(ids, lot, material, level)
            assert.deepEqual(checkEpcis(document(event({ epcList: [uri] }))), [], uri)
            assert.equal(lotOfUri(ids, uri).lot, lot, uri)
          }
      }
      assert.deepEqual(lotOfUri(DEFAULT_IDS, 'urn:epc:id:sgtin:0614141.107346.2017'), {
        lot: 'urn:epc:id:sgtin:0614141.107346.2017',
        material: 'urn:epc:idpat:sgtin:0614141.107346.*',
      })
      assert.equal(uriOfLot(DEFAULT_IDS, 'urn:epc:id:sgtin:0614141.107346.2017', 'any', 'instance'), 'urn:epc:id:sgtin:0614141.107346.2017')
    })

    it('are refused where their setting is wrong', () => {
      for (const wrong of [
        { base: 'no base' },
        { resolver: 'x' },
        { gtins: { shaft: { gtin: '04012345123457' } } },
        { names: { 'p/saw': 'the saw' } },
        { scheme: 'urn' as const, gtins: { shaft: { gtin: '04012345123456' } } },
      ])
        assert.throws(() => checkIds({ ...DEFAULT_IDS, ...wrong }, 'test'), { code: 'TAKT_CONFIG_INVALID' })
    })

    it('know the offset of a zone at a time', () => {
      assert.deepEqual(
        [
          offsetAt(Date.UTC(2026, 0, 1), 'Europe/Berlin'),
          offsetAt(Date.UTC(2026, 6, 1), 'Europe/Berlin'),
          offsetAt(NOW, 'UTC'),
          offsetAt(NOW, 'America/St_Johns'),
        ],
        ['+01:00', '+02:00', '+00:00', '-03:30'],
      )
    })
  })
})
