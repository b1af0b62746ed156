/** The server's address space in the sensor's dialog: a tree that is asked for level by level, a search, and picking of several. */

/** A node as the endpoint's browse answers it. */
export interface Browsed {
  readonly nodeId: string
  readonly name: string
  readonly variable: boolean
  readonly path?: string
  readonly dataType?: string
  readonly value?: string
  readonly access?: string
  readonly parts?: boolean
  readonly way?: string
}

interface Branch {
  readonly element: JQuery
  readonly browsed: Browsed
  readonly checkbox?: boolean
  selected?: boolean
  readonly children?: (done: (branches: Branch[]) => void) => void
}

interface TreeList {
  treeList(options: unknown): void
  treeList(method: 'data', branches: Branch[]): void
}

export interface BrowseTexts {
  readonly failed: string
  readonly nothing: string
  readonly incomplete: string
}

/** `take` is given what a person has picked: by a double click, or ticked and added together. */
export function prepareBrowser(texts: BrowseTexts, take: (browsed: readonly Browsed[]) => void): void {
  const tree = $('#takt-opcua-sensor-tree')
  const problem = $('#takt-opcua-sensor-problem')
  const add = $('#takt-opcua-sensor-add')
  const search = $('#takt-opcua-sensor-search')
  const picked = new Map<string, Branch>()
  let asking: JQuery.jqXHR | undefined

  const ask = (what: string, query: Record<string, string>, done: (answer: unknown) => void): void => {
    problem.text('')
    const endpoint = String($('#node-input-endpoint').val() ?? '')
    asking = $.getJSON(`takt/opcua-endpoint/${encodeURIComponent(endpoint)}/${what}`, query)
    asking.done(done).fail((answer) => {
      if (answer.statusText === 'abort') return
      problem.text((answer.responseJSON as { message?: string } | undefined)?.message ?? texts.failed)
      done([])
    })
  }
  const children = (nodeId: string | undefined, done: (branches: Branch[]) => void): void =>
    ask('browse', nodeId === undefined ? {} : { nodeId }, (found) => done((found as Browsed[]).map(branch)))
  const branch = (browsed: Browsed): Branch => ({
    element: labelOf(browsed),
    browsed,
    ...(browsed.variable ? { checkbox: true } : {}),
    ...(browsed.path === undefined ? { children: (done: (branches: Branch[]) => void) => children(browsed.nodeId, done) } : {}),
  })
  const show = (branches: Branch[]): void => {
    picked.clear()
    tell()
    ;(tree as unknown as TreeList).treeList('data', branches)
    $('#takt-opcua-sensor-browser').show()
  }
  const tell = (): void => {
    add
      .toggleClass('disabled', picked.size === 0)
      .find('b')
      .text(picked.size === 0 ? '' : ` (${picked.size})`)
  }

  ;(tree as unknown as TreeList).treeList({ data: [] })
  // without an item when the tree is filled anew
  tree.on('treelistselect', (_event: unknown, item?: Branch) => {
    if (item?.browsed?.variable !== true) return
    const key = `${item.browsed.nodeId} ${item.browsed.path ?? ''}`
    if (item.selected === true) picked.set(key, item)
    else picked.delete(key)
    tell()
  })
  tree.on('treelistconfirm', (_event: unknown, item: Branch) => {
    if (item.browsed.variable) take([item.browsed])
  })
  add.on('click', (event) => {
    event.preventDefault()
    if (picked.size > 0) take([...picked.values()].map(({ browsed }) => browsed))
  })
  $('#takt-opcua-sensor-browse').on('click', (event) => {
    event.preventDefault()
    children(undefined, (branches) => {
      if (branches.length > 0) show(branches)
    })
  })
  search.on('keydown', (event) => {
    if (event.key !== 'Enter') return
    event.preventDefault()
    // who searches for something else does not want the first answer
    asking?.abort()
    const text = String(search.val() ?? '').trim()
    if (text === '') return void children(undefined, show)
    ask('search', { text }, (answer) => {
      const { found = [], complete = true } = answer as { found?: Browsed[]; complete?: boolean }
      show(found.map(branch))
      if (found.length === 0) problem.text(texts.nothing)
      else if (!complete) problem.text(texts.incomplete)
    })
  })
}

function labelOf({ name, way, variable, dataType, value, access }: Browsed): JQuery {
  const label = $('<span>').css({ display: 'inline-flex', gap: '8px', alignItems: 'baseline', whiteSpace: 'nowrap' })
  $('<i>')
    .addClass(variable ? 'fa fa-tachometer' : 'fa fa-folder-o')
    .appendTo(label)
  $('<span>')
    .addClass('takt-opcua-sensor-name')
    .text(way ?? name)
    .appendTo(label)
  const facts = [dataType, value, access].filter((fact) => fact !== undefined && fact !== '').join(' · ')
  if (facts !== '') $('<span>').css({ color: 'var(--red-ui-secondary-text-color)' }).text(facts).appendTo(label)
  return label
}
