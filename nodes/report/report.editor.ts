import type { EditorNodeProperties, EditorRED } from 'node-red'

declare const RED: EditorRED

interface ReportProperties extends EditorNodeProperties {
  plant: string
  store: string
  reportType: string
  subject: string
  span: string
  format: string
  output: string
  folder: string
}

RED.nodes.registerType<ReportProperties>('takt-report', {
  category: 'MES',
  color: '#F2C879',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: true },
    store: { value: '', type: 'takt-store', required: true },
    reportType: { value: 'shift', required: true },
    subject: { value: '' },
    span: { value: 'current-shift', required: true },
    format: { value: 'html', required: true },
    output: { value: 'file', required: true },
    folder: { value: 'takt/reports', validate: (value: string) => !/[<>"|?*]/.test(value ?? '') },
  },
  inputs: 1,
  outputs: 1,
  icon: 'report.svg',
  paletteLabel: 'report',
  label() {
    return this.name || `${this.reportType.replace('-', ' ')} report`
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels: 'what to report on',
  outputLabels: ['report'],
  oneditprepare() {
    const type = $('#node-input-reportType')
    const output = $('#node-input-output')
    const show = (): void => {
      const isOverview = type.val() === 'overview'
      $('.takt-report-subject, .takt-report-format').toggle(!isOverview)
      $('.takt-report-span').toggle(type.val() === 'shift')
      $('.takt-report-folder').toggle(output.val() === 'file')
      $('#node-input-subject').attr('placeholder', this._(`report.placeholder.${String(type.val())}`))
    }
    type.on('change', show)
    output.on('change', show)
    show()
  },
})
