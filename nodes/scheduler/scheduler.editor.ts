import type { EditorNodeProperties, EditorRED } from 'node-red'

declare const RED: EditorRED

interface SchedulerProperties extends EditorNodeProperties {
  plant: string
  store: string
  objective: string
  autonomy: string
  watch: boolean
  resumable: boolean
  searchMs: number
  debounceMs: number
  toleranceMs: number
  marginMs: number
  frozenMinutes: number
  improveMs: number
  seed: number
}

interface Translating {
  _(key: string): string
}

/** Node-RED takes a text as the reason why a value is not valid; the community's types know only true and false. */
const number = (least: number, most: number, optional = false) =>
  function (this: unknown, value: string | number) {
    const given = String(value ?? '').trim()
    const valid = given === '' ? optional : Number(given) >= least && Number(given) <= most
    return valid || (this as Translating)._('scheduler.validation.number').replace('{least}', String(least)).replace('{most}', String(most))
  } as never

RED.nodes.registerType<SchedulerProperties>('takt-scheduler', {
  category: 'MES',
  color: '#F2C879',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: true },
    store: { value: '', type: 'takt-store', required: true },
    objective: {
      value: 'due-dates',
      required: true,
      validate: (value: string) => ['due-dates', 'throughput', 'few-setups', 'few-changes', 'low-risk'].includes(value),
    },
    autonomy: { value: 'auto', required: true, validate: (value: string) => ['auto', 'approve', 'shadow'].includes(value) },
    watch: { value: true },
    resumable: { value: true },
    searchMs: { value: 600, validate: number(10, 30_000) },
    debounceMs: { value: 300, validate: number(0, 60_000) },
    toleranceMs: { value: 300_000, validate: number(0, 86_400_000) },
    // flows from before these were there have none of them
    marginMs: { value: 60_000, validate: number(0, 86_400_000, true) },
    frozenMinutes: { value: 0, validate: number(0, 10_080, true) },
    improveMs: { value: 10_000, validate: number(0, 60_000, true) },
    seed: { value: 1, validate: number(0, 4_294_967_295) },
  },
  inputs: 1,
  outputs: 2,
  icon: 'scheduler.svg',
  label() {
    return this.name || this._('scheduler.label.palette')
  },
  paletteLabel: 'scheduler',
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels: 'plan, pin, approve',
  outputLabels: ['plan', 'problems, proposals'],
})
