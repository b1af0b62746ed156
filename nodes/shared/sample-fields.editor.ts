/** The typedInput fields that say where a plain message has its sample; used by the dialogs of several nodes. */

export interface SampleFieldTexts {
  readonly now: string
  readonly good: string
}

const SOURCES = ['msg', 'flow', 'global', 'jsonata']

/** Defaults of the fields, for `defaults` of a node. */
export const SAMPLE_FIELDS = {
  value: { value: 'payload' },
  valueType: { value: 'msg' },
  signal: { value: 'topic' },
  signalType: { value: 'msg' },
  time: { value: '' },
  timeType: { value: 'now' },
}

/** Turns the inputs `node-input-value`, `-signal`, `-time` and, where there is one, `-quality` into typedInputs. */
export function prepareSampleFields(texts: SampleFieldTexts): void {
  const now = { value: 'now', label: texts.now, hasValue: false }
  const good = { value: 'good', label: texts.good, hasValue: false }
  const typed = (field: string, types: unknown[], fallback: string): void => {
    const input = $(`#node-input-${field}`)
    if (input.length === 0) return
    if (!input.val() && !$(`#node-input-${field}Type`).val()) input.val(String(SAMPLE_FIELDS[field as 'value']?.value ?? ''))
    input.typedInput({ default: fallback, typeField: `#node-input-${field}Type`, types } as never)
    input.typedInput('width', '70%')
  }
  typed('value', [...SOURCES, 'num', 'env'], 'msg')
  typed('signal', [...SOURCES, 'str', 'env'], 'msg')
  typed('time', [now, ...SOURCES], 'now')
  typed('quality', [good, ...SOURCES], 'good')
}

/** True for nothing, for an environment variable, and for a number in the range. */
export function optionalNumber(low: number, high = Number.MAX_VALUE): (value: unknown) => boolean {
  return (value) => {
    const text = String(value ?? '').trim()
    return text === '' || /^\$\{\w+\}$/.test(text) || (Number.isFinite(Number(text)) && Number(text) >= low && Number(text) <= high)
  }
}
