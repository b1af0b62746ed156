import { spanText, type Translate } from './preview.editor.ts'
import { short } from './preview-chart.editor.ts'

/** How the running detector does, and whether a changed one takes over at once or runs in its shadow first. */

type Fields = Readonly<Record<string, string | boolean>>

interface Score {
  readonly alarms: number
  readonly precision: number | null
  readonly recall: number | null
  readonly leadMs: { readonly median: number } | null
  readonly falsePerWeek: number | null
}

interface Duel {
  readonly from: number
  readonly to: number
  readonly running: Score
  readonly shadow: Score
}

export interface ShadowSetting {
  /** id of the node */
  readonly node: string
  /** it keeps its alarms in a store, so that they are scored */
  readonly hasStore: boolean
  readonly t: Translate
  /** label of a field */
  label(field: string): string
  /** the detector's fields as typed */
  typed(): Fields
  set(field: string, value: string | boolean): void
}

export interface ShadowPart {
  /** Before the fields are read: a changed detector that is to run in shadow goes where it belongs, and the running one stays. */
  save(): void
  close(): void
}

const DAYS = 7

export function prepareShadow({ node, hasStore, t, label, typed, set }: ShadowSetting): ShadowPart {
  const part = (name: string): JQuery => $(`#takt-anomaly-shadow-${name}`)
  const kept = $('#node-input-challenger')
  const running = typed()
  const challenger = fieldsOf(String(kept.val() ?? ''))
  let isDeployed = false
  /** the challenger was taken over or dropped in this dialog */
  let isSettled = false

  const changed = (): boolean => {
    const now = typed()
    return Object.keys(now).some((field) => now[field] !== running[field])
  }
  const wantsShadow = (): boolean => isDeployed && !isSettled && changed() && $('input[name=takt-anomaly-shadow]:checked').val() === 'shadow'
  const showChoice = (): void => {
    part('choice').toggle(isDeployed && !isSettled && changed())
  }
  const row = (name: string, score: Score): JQuery =>
    $('<tr>').append(
      $('<th>').text(name),
      [
        String(score.alarms),
        score.precision === null ? '–' : `${Math.round(score.precision * 100)} %`,
        score.recall === null ? '–' : `${Math.round(score.recall * 100)} %`,
        score.leadMs === null ? '–' : spanText(score.leadMs.median),
        score.falsePerWeek === null ? '–' : short(score.falsePerWeek),
      ].map((cell) => $('<td>').text(cell)),
    )
  const rows = part('table').find('tbody')
  const show = (name: string, order: number, score: Score): void => {
    rows.append(row(name, score).attr('data-order', order))
    // answers come in any order
    rows.append(
      rows
        .children()
        .get()
        .sort((a, b) => Number(a.dataset.order) - Number(b.dataset.order)),
    )
    part('table').show()
  }

  if (challenger !== undefined) {
    const differences = Object.entries(challenger).filter(([field, value]) => field in running && value !== running[field])
    part('what').text(
      t('shadow.what', {
        what: differences.map(([field, value]) => t('shadow.instead', { field: label(field), value: shown(value), before: shown(running[field]) })).join('; '),
      }),
    )
    part('present').show()
  }
  const asking = $.getJSON(`takt/anomaly/${encodeURIComponent(node)}/shadow`).done((answer: { deployed: boolean; duel: Duel | null }) => {
    isDeployed = answer.deployed
    showChoice()
    const { duel } = answer
    if (duel !== null && challenger !== undefined) {
      const since = new Date(duel.from).toLocaleString([], { dateStyle: 'short', timeStyle: 'short' })
      part('since').text(t('shadow.since', { since }))
      show(t('shadow.running'), 2, duel.running)
      show(t('shadow.shadow'), 3, duel.shadow)
    }
    if (!isDeployed || !hasStore) return
    $.getJSON(`takt/anomaly/${encodeURIComponent(node)}/scorecard`, { days: DAYS }).done(({ score }: { score: Score | null }) => {
      if (score !== null) show(t('shadow.days', { days: DAYS }), 1, score)
    })
  })

  const settle = (said: string): void => {
    kept.val('')
    isSettled = true
    part('buttons').hide()
    part('said').text(said)
    showChoice()
  }
  part('take').on('click', (event) => {
    event.preventDefault()
    for (const [field, value] of Object.entries(challenger ?? {})) if (field in running) set(field, value)
    settle(t('shadow.taken'))
  })
  part('drop').on('click', (event) => {
    event.preventDefault()
    settle(t('shadow.dropped'))
    // another may be tried at once
    isSettled = false
    showChoice()
  })
  const form = $('#dialog-form')
  form.on('change.taktShadow input.taktShadow', '[id^=node-input-]', showChoice)
  showChoice()

  return {
    save() {
      if (!wantsShadow()) return
      kept.val(JSON.stringify(typed()))
      for (const [field, value] of Object.entries(running)) set(field, value)
    },
    close() {
      asking.abort()
      form.off('.taktShadow')
    },
  }
}

function fieldsOf(text: string): Fields | undefined {
  if (text.trim() === '') return undefined
  try {
    const fields: unknown = JSON.parse(text)
    return typeof fields === 'object' && fields !== null ? (fields as Fields) : undefined
  } catch {
    return undefined
  }
}

function shown(value: string | boolean | undefined): string {
  return value === '' || value === undefined ? '–' : String(value)
}
