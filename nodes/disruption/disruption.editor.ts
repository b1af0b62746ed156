import type { EditorNodeProperties, EditorRED } from 'node-red'

declare const RED: EditorRED

type Severity = 'low' | 'medium' | 'high'

interface DisruptionProperties extends EditorNodeProperties {
  plant: string
  store: string
  autonomy: string
  minSeverity: string
  minScore: number
  persistMs: number
  deadlineMs: Record<Severity, number>
  prognosisShare: number
  falseAlarmBudget: number
  cooldownMs: number
}

interface Translating {
  _(key: string): string
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const SEVERITIES: readonly Severity[] = ['low', 'medium', 'high']

/** Node-RED takes a text as the reason why a value is not valid; the community's types know only true and false. */
const number = (least: number, most: number) =>
  function (this: unknown, value: string | number) {
    const given = String(value ?? '').trim()
    const valid = given !== '' && Number(given) >= least && Number(given) <= most
    return valid || (this as Translating)._('disruption.validation.number').replace('{least}', String(least)).replace('{most}', String(most))
  } as never

/** Flows of an older version have none. */
const share = function (this: unknown, value: string | number | undefined) {
  return value === undefined || (number(0, 1) as unknown as (this: unknown, value: string | number) => boolean).call(this, value)
} as never

RED.nodes.registerType<DisruptionProperties>('takt-disruption', {
  category: 'MES',
  color: '#F2C879',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: true },
    store: { value: '', type: 'takt-store', required: true },
    autonomy: { value: 'approve', required: true, validate: (value: string) => ['auto', 'approve', 'shadow'].includes(value) },
    minSeverity: { value: 'medium', required: true, validate: (value: string) => (SEVERITIES as readonly string[]).includes(value) },
    minScore: { value: 0.5, validate: number(0, 1) },
    persistMs: { value: 5 * MINUTE_MS, validate: number(0, 1e12) },
    deadlineMs: {
      value: { low: 24 * HOUR_MS, medium: 8 * HOUR_MS, high: 4 * HOUR_MS },
      validate: ((value: Partial<Record<Severity, number>>) => SEVERITIES.every((severity) => Number(value?.[severity]) >= 0)) as never,
    },
    prognosisShare: { value: 0.8, validate: share },
    falseAlarmBudget: { value: 3, validate: number(0, 1000) },
    cooldownMs: { value: 30 * MINUTE_MS, validate: number(0, 1e12) },
  },
  inputs: 1,
  outputs: 2,
  icon: 'disruption.svg',
  paletteLabel: 'disruption',
  label() {
    return this.name || 'disruption'
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels: 'anomalies, prognoses, machine states, answers',
  outputLabels: ['requests', 'proposals, refusals'],
  oneditprepare() {
    const node = this as unknown as DisruptionProperties
    $('#takt-disruption-persist').val(Number(node.persistMs) / MINUTE_MS)
    if (node.prognosisShare === undefined) $('#node-input-prognosisShare').val(0.8)
    $('#takt-disruption-cooldown').val(Number(node.cooldownMs) / MINUTE_MS)
    for (const severity of SEVERITIES) $(`#takt-disruption-${severity}`).val(Number(node.deadlineMs?.[severity] ?? 0) / HOUR_MS)
  },
  oneditsave() {
    const node = this as unknown as DisruptionProperties
    const ms = (field: string, unit: number): number => Math.round(Number($(field).val()) * unit)
    $('#node-input-persistMs').val(ms('#takt-disruption-persist', MINUTE_MS))
    $('#node-input-cooldownMs').val(ms('#takt-disruption-cooldown', MINUTE_MS))
    const deadlines = SEVERITIES.map((severity) => [severity, ms(`#takt-disruption-${severity}`, HOUR_MS)] as const)
    node.deadlineMs = Object.fromEntries(deadlines) as Record<Severity, number>
  },
})
