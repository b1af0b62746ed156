import type { EditorNodeProperties, EditorRED } from 'node-red'

declare const RED: EditorRED

interface PlantProperties extends EditorNodeProperties {
  source: string
  file: string
  model: string
  clock: string
}

interface Fault {
  readonly path: string
  readonly what: string
}

interface TextEditor {
  getValue(): string
  on(event: 'change', listener: () => void): void
  destroy(): void
  focus(): void
}

let editor: TextEditor | undefined

const EXAMPLE = `plant: acme/berlin
timeZone: Europe/Berlin
equipment:
  - id: acme/berlin/line-1
    level: workCenter
  - id: acme/berlin/line-1/mill-1
    level: workUnit
    classes: [mill]
    signals:
      - { name: spindle.vibration, role: condition, unit: mm/s, alarm: { high: 7.1 } }
`

RED.nodes.registerType<PlantProperties>('takt-plant', {
  category: 'config',
  defaults: {
    name: { value: '' },
    source: { value: 'inline', required: true },
    file: {
      value: '',
      validate: function (value: string) {
        return (this as unknown as PlantProperties).source !== 'file' || value.trim() !== ''
      },
    },
    model: { value: EXAMPLE },
    clock: { value: 'system', required: true, validate: (value: string) => /^(system|simulator|\d+@\d+x\d+(\.\d+)?|\$\{\w+\})$/.test(value) },
  },
  label() {
    return this.name || (this.source === 'file' ? this.file : /^\W*plant\W+([^\s",]+)/m.exec(this.model)?.[1]) || 'plant'
  },
  oneditprepare() {
    const source = $('#node-config-input-source')
    const model = RED.editor.createEditor({
      id: 'takt-plant-editor',
      mode: 'ace/mode/yaml',
      value: (this as unknown as PlantProperties).model,
    }) as unknown as TextEditor
    editor = model

    source
      .on('change', () => {
        $('.takt-plant-file').toggle(source.val() === 'file')
        $('.takt-plant-model').toggle(source.val() !== 'file')
      })
      .trigger('change')

    let settle: ReturnType<typeof setTimeout> | undefined
    const check = (): void => {
      clearTimeout(settle)
      settle = setTimeout(() => {
        $.ajax({ url: 'takt/plant/check', method: 'POST', contentType: 'application/json', data: JSON.stringify({ model: model.getValue() }) })
          .done((answer: { faults: Fault[]; summary: string }) => {
            const list = $('#takt-plant-faults').empty()
            for (const fault of answer.faults) $('<li>').text(`${fault.path}: ${fault.what}`).appendTo(list)
            $('#takt-plant-summary').text(answer.summary)
          })
          .fail(() => $('#takt-plant-summary').text(''))
      }, 300)
    }
    model.on('change', check)
    check()
  },
  oneditsave() {
    if (editor !== undefined) $('#node-config-input-model').val(editor.getValue())
    editor?.destroy()
    editor = undefined
  },
  oneditcancel() {
    editor?.destroy()
    editor = undefined
  },
})
