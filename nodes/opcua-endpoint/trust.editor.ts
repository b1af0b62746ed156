/** The part of the endpoint's dialog that asks the server what it offers, and settles which certificates are trusted. */

interface Certificate {
  readonly thumbprint: string
  readonly subject: string
  readonly validTo: number
  readonly file?: string
  readonly trusted?: boolean
}

interface Offered {
  readonly securityMode: string
  readonly securityPolicy: string
  readonly legacy: boolean
  readonly known: boolean
  readonly identities: readonly string[]
}

interface Offer {
  readonly name: string
  readonly endpoints: readonly Offered[]
  readonly certificate?: Certificate
}

interface Trust {
  readonly folder: string
  readonly own?: Certificate
  readonly servers: readonly Certificate[]
}

const PATH = 'takt/opcua-endpoint'
/** A second press within this time trusts: the first one asks whether the thumbprint was compared. */
const CONFIRM_MS = 5000

/** `take` is given what a person picked from the server's offer. */
export function prepareTrust(text: (key: string) => string, take: (offered: Offered) => void): void {
  let shown: string | undefined
  const problem = (answer: JQuery.jqXHR): void => {
    const message = (answer.responseJSON as { message?: string } | undefined)?.message
    $('#takt-opcua-endpoint-problem')
      .text(message ?? text('validation.ask'))
      .show()
  }
  const list = (): void => {
    $.getJSON(`${PATH}/certificates`)
      .done((trust: Trust) => showTrust(trust, shown, text, settle))
      .fail(problem)
  }
  const settle = (certificate: Certificate): void => {
    $.ajax({ method: 'POST', url: `${PATH}/certificates/${encodeURIComponent(certificate.thumbprint)}/${certificate.trusted ? 'distrust' : 'trust'}` })
      .done(list)
      .fail(problem)
  }
  $('#takt-opcua-endpoint-ask').on('click', (event) => {
    event.preventDefault()
    $('#takt-opcua-endpoint-problem').hide()
    const url = String($('#node-config-input-url').val() ?? '')
    $.ajax({ method: 'POST', url: `${PATH}/discover?url=${encodeURIComponent(url)}`, dataType: 'json' })
      .done((offer: Offer) => {
        shown = offer.certificate?.thumbprint
        showOffer(offer, text, take)
        list()
      })
      .fail(problem)
  })
  list()
}

function showOffer(offer: Offer, text: (key: string) => string, take: (offered: Offered) => void): void {
  const offered = $('#takt-opcua-endpoint-offered').empty()
  for (const endpoint of offer.endpoints) {
    const marks = [...(endpoint.legacy ? [text('label.legacy')] : []), ...(endpoint.known ? [] : [text('label.unknown')])]
    const name = endpoint.securityMode === 'None' ? 'None' : `${endpoint.securityMode} · ${endpoint.securityPolicy}`
    const line = $('<li>').appendTo(offered)
    $('<a href="#">')
      .text(name)
      .toggleClass('disabled', !endpoint.known)
      .appendTo(line)
      .on('click', (event) => {
        event.preventDefault()
        if (endpoint.known) take(endpoint)
      })
    line.append(document.createTextNode(` ${[...marks, endpoint.identities.join(', ')].map((part) => `· ${part}`).join(' ')}`))
  }
  $('#takt-opcua-endpoint-offer').show()
}

function showTrust(trust: Trust, shown: string | undefined, text: (key: string) => string, settle: (certificate: Certificate) => void): void {
  const list = $('#takt-opcua-endpoint-certificates').empty()
  if (trust.servers.length === 0) $('<li>').text(text('label.no-servers')).appendTo(list)
  for (const certificate of trust.servers) {
    const line = $('<li>').css({ marginBottom: '6px', overflowWrap: 'anywhere' }).attr('data-thumbprint', certificate.thumbprint).appendTo(list)
    $('<div>')
      .text(
        [
          certificate.subject,
          ...(certificate.thumbprint === shown ? [text('label.this-server')] : []),
          ...(certificate.trusted ? [text('label.trusted')] : []),
        ].join(' · '),
      )
      .css({ fontWeight: certificate.thumbprint === shown ? 'bold' : 'normal' })
      .appendTo(line)
    $('<div>')
      .css({ fontFamily: 'monospace' })
      .text(`${text('label.thumbprint')} ${certificate.thumbprint}`)
      .appendTo(line)
    $('<span>')
      .text(`${validity(certificate, text)} `)
      .appendTo(line)
    trustButton(certificate, text, settle).appendTo(line)
  }
  const own = $('#takt-opcua-endpoint-own').empty()
  if (trust.own === undefined) own.text(text('label.own-none'))
  else {
    $('<div>').text(text('label.own')).appendTo(own)
    $('<div>')
      .css({ fontFamily: 'monospace' })
      .text(`${text('label.thumbprint')} ${trust.own.thumbprint}`)
      .appendTo(own)
    $('<div>')
      .text(`${validity(trust.own, text)} · ${trust.own.file ?? ''}`)
      .appendTo(own)
  }
}

function trustButton(certificate: Certificate, text: (key: string) => string, settle: (certificate: Certificate) => void): JQuery {
  const button = $('<a href="#" class="red-ui-button red-ui-button-small takt-opcua-endpoint-trust">')
  if (certificate.trusted) {
    return button.text(text('button.distrust')).on('click', (event) => {
      event.preventDefault()
      settle(certificate)
    })
  }
  let compared = false
  return button.text(text('button.trust')).on('click', (event) => {
    event.preventDefault()
    if (compared) return settle(certificate)
    compared = true
    button.text(text('button.confirm'))
    setTimeout(() => {
      compared = false
      button.text(text('button.trust'))
    }, CONFIRM_MS)
  })
}

function validity({ validTo }: Certificate, text: (key: string) => string): string {
  return validTo < Date.now() ? text('label.expired') : `${text('label.valid')} ${new Date(validTo).toISOString().slice(0, 10)}`
}
