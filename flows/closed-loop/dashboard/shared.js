/** Methods that every panel has; the build puts them in where a panel says `shared`. */
export default {
  format(options, time) {
    const zone = this.value?.timeZone || 'UTC'
    const key = zone + JSON.stringify(options)
    const made = (window.taktFormats = window.taktFormats || {})
    made[key] = made[key] || new Intl.DateTimeFormat('en-GB', Object.assign({ timeZone: zone }, options))
    return made[key].format(time)
  },
  hm(time) {
    return time === null || time === undefined ? '–' : this.format({ hour: '2-digit', minute: '2-digit' }, time)
  },
  /** the time, with the weekday where it is not today */
  when(time) {
    if (time === null || time === undefined) return '–'
    const day = { weekday: 'short' }
    const far = Math.abs(time - this.value.now) > 12 * 3600000 || this.format(day, time) !== this.format(day, this.value.now)
    return (far ? `${this.format(day, time)} ` : '') + this.hm(time)
  },
  span(ms) {
    const minutes = Math.round(Math.abs(ms) / 60000)
    if (minutes < 60) return `${minutes} min`
    if (minutes < 2880) return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`
    return `${Math.round(minutes / 1440)} days`
  },
  percent(share) {
    return share === null || share === undefined ? '–' : `${Math.round(share * 100)}%`
  },
  /** a work order picked in one panel is shown in all */
  pick(workOrder) {
    window.dispatchEvent(new CustomEvent('takt-pick', { detail: this.picked === workOrder ? null : workOrder }))
  },
  listen() {
    this.onPick = (event) => {
      this.picked = event.detail
    }
    window.addEventListener('takt-pick', this.onPick)
  },
  unlisten() {
    window.removeEventListener('takt-pick', this.onPick)
  },
}
