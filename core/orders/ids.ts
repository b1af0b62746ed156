/**
 * Ids of what belongs to an order follow from the order's own, so that a step done again after a crash finds what it made before.
 */

/** One production lot a work order. */
export const lotIdOf = (workOrder: string): string => `lot-${workOrder}`

export const jobOrderIdOf = (workOrder: string, operation: string): string => `jo-${workOrder}-${operation}`.replace(/\s+/g, '-')

/** `jo-7-mill` → `jo-7-mill.2` → `jo-7-mill.3`: the job order that makes what its failed unit left unmade. */
export function continuationIdOf(jobOrder: string): string {
  const numbered = /^(.*)\.(\d+)$/.exec(jobOrder)
  return numbered === null ? `${jobOrder}.2` : `${numbered[1]}.${Number(numbered[2]) + 1}`
}

export const jobResponseIdOf = (jobOrder: string): string => `jr-${jobOrder}`

/** Text as a part of an id or of an equipment path: no spaces, none of the characters that topics reserve. */
export function slug(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replace(/[^\w.-]+/g, '-')
    .replace(/-{2,}/g, '-')
    .replace(/^-|-$/g, '')
  return plain === '' ? 'x' : plain
}
