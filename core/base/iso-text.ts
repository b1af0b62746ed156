const formats = new Map<string, Intl.DateTimeFormat>()

/** ISO 8601 with the offset of a time zone: `2025-11-22T14:05:30.250+01:00`. */
export function isoText(time: number, timeZone: string): string {
  const part: Record<string, string> = {}
  for (const { type, value } of formatOf(timeZone).formatToParts(time)) part[type] = value
  const offset = (part.timeZoneName ?? '').replace('GMT', '') || '+00:00'
  return `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}.${part.fractionalSecond}${offset}`
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      fractionalSecondDigits: 3,
      timeZoneName: 'longOffset',
    })
    formats.set(timeZone, format)
  }
  return format
}
