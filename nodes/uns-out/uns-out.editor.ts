import type { EditorNodeProperties, EditorRED } from 'node-red'

declare const RED: EditorRED

interface UnsOutProperties extends EditorNodeProperties {
  plant: string
  broker: string
  store: string
  template: string
  prefix: string
  delivery: string
  retain: boolean
  clearEnded: boolean
  clearRemoved: boolean
  schema: boolean
}

/** Names in braces between slashes; no wildcards, no empty levels. */
function isTemplate(template: string): boolean {
  const rest = template.replace(/\$\{\w+\}/g, 'x').replace(/\{[^{}/+#]+\}/g, 'x')
  return rest === '' || (!/[{}+#]/.test(rest) && !rest.split('/').includes(''))
}

RED.nodes.registerType<UnsOutProperties>('takt-uns-out', {
  category: 'IIoT',
  color: '#8FC7D1',
  defaults: {
    name: { value: '' },
    plant: { value: '', type: 'takt-plant', required: true },
    broker: { value: '', type: 'takt-mqtt-broker', required: true },
    store: { value: '', type: 'takt-store', required: false },
    template: { value: '', validate: (value: string) => isTemplate(value ?? '') },
    prefix: { value: '', validate: (value: string) => !/[+#{}]/.test((value ?? '').replace(/\$\{\w+\}/g, '')) },
    delivery: {
      value: 'kind',
      validate: function (this: unknown, value: string) {
        return value !== 'guaranteed' || Boolean((this as UnsOutProperties).store)
      } as never,
    },
    retain: { value: true },
    clearEnded: { value: true },
    clearRemoved: { value: false },
    schema: { value: true },
  },
  inputs: 1,
  outputs: 0,
  align: 'right',
  icon: 'uns-out.svg',
  paletteLabel: 'uns out',
  label() {
    return this.name || this.template || 'uns out'
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : ''
  },
  inputLabels: 'documents',
  oneditprepare() {
    const retain = $('#node-input-retain')
    const store = $('#node-input-store')
    const show = (): void => {
      $('.takt-uns-out-retained').toggle(retain.is(':checked'))
      const chosen = store.val()
      $('.takt-uns-out-no-store').toggle(!chosen || chosen === '_ADD_')
    }
    for (const field of [retain, store]) field.on('change', show)
    show()
  },
})
