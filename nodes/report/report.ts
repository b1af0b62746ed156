import { isAbsolute, join, resolve } from 'node:path'
import type { NodeAPI, NodeDef } from 'node-red'
import { TaktError } from '../../core/base/error.ts'
import type { Report } from '../../core/messages/report.ts'
import { makeReport } from '../../core/report/make-report.ts'
import { OverviewSource } from '../../core/report/overview-source.ts'
import { REPORT_FORMATS, REPORT_TYPES, type ReportFormat, type ReportRequest, type ReportType, reportRequest } from '../../core/report/request.ts'
import { SPANS, type SpanName } from '../../core/report/shift-span.ts'
import { writeReport } from '../../core/report/write-report.ts'
import type { PlantNode } from '../plant/plant.ts'
import { defineNode, nameOf } from '../shared/define-node.ts'
import { requireConfigNode } from '../shared/lookup.ts'
import type { StoreNode } from '../store/store.ts'

export interface ReportConfig extends NodeDef {
  plant: string
  store: string
  reportType: ReportType
  /** a work order, or a unit, line, area or site; empty: the whole plant */
  subject: string
  span: SpanName
  format: ReportFormat
  output: 'file' | 'message'
  /** the only folder that files are written below; relative to the user directory. Empty: `takt/reports` */
  folder: string
}

const DEFAULT_FOLDER = join('takt', 'reports')

export default function registerReport(RED: NodeAPI): void {
  defineNode<ReportConfig>(RED, {
    type: 'takt-report',
    create(node, config) {
      const where = nameOf(node)
      const plantNode = requireConfigNode<PlantNode>(RED, node, config.plant, 'plant')
      const { store } = requireConfigNode<StoreNode>(RED, node, config.store, 'store')
      const { clock } = plantNode
      const set: ReportRequest = {
        type: known(config.reportType, REPORT_TYPES, 'report', where),
        subject: config.subject?.trim() ?? '',
        format: known(config.format || 'html', REPORT_FORMATS, 'format', where),
        span: known(config.span || 'current-shift', SPANS, 'span', where),
        from: undefined,
        to: undefined,
        table: undefined,
        file: undefined,
      }
      const output = known(config.output || 'message', ['file', 'message'] as const, 'output', where)
      const folder = folderOf(RED, config.folder)
      const overview = new OverviewSource(store, () => plantNode.plant(), clock)

      let shown = ''
      const showStatus = (text: string): void => {
        // an overview comes every second: the editor need not hear of each
        if (text === shown) return
        shown = text
        node.status({ fill: 'green', shape: 'dot', text: text.slice(0, 60) })
      }

      return {
        async input(message, send) {
          try {
            const plant = plantNode.plant()
            const request = reportRequest(message.payload, set, plant.timeZone, where)
            const by = typeof message.by === 'string' && message.by.trim() !== '' ? message.by.trim().slice(0, 200) : 'Takt'
            const report = await makeReport({ store, plant, overview }, request, { now: clock.now(), by })
            const document: Report =
              output === 'file'
                ? await writeReport(store, report, { folder, file: request.file, by: by === 'Takt' ? `node:${node.id}` : by })
                : { ...report.document, content: report.content }
            showStatus(output === 'file' ? report.name : `${request.type}${request.subject === '' ? '' : ` ${request.subject}`}, ${request.format}`)
            send({ ...message, topic: `reports/${request.type}${request.subject === '' ? '' : `/${request.subject}`}`, payload: document })
          } catch (thrown) {
            // shown by the wrapper, which also gives the whole message to `catch`: an HTTP request can then be answered
            shown = ''
            throw thrown
          }
        },
      }
    },
  })
}

function folderOf(RED: NodeAPI, configured: string | undefined): string {
  const folder = configured?.trim() || DEFAULT_FOLDER
  return isAbsolute(folder) ? folder : resolve(RED.settings.userDir ?? process.cwd(), folder)
}

function known<T extends string>(value: string, values: readonly T[], what: string, where: string): T {
  const found = values.find((candidate) => candidate === value)
  if (found === undefined) throw new TaktError('TAKT_CONFIG_INVALID', { what: `the ${what} is '${value}' where one of ${values.join(', ')} is taken`, where })
  return found
}
