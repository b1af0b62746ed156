/** PackML states and modes by number (OPC 30050): what the machines put on the wire. */
export const STATE_NUMBER = {
  Clearing: 1,
  Stopped: 2,
  Starting: 3,
  Idle: 4,
  Execute: 6,
  Stopping: 7,
  Aborting: 8,
  Aborted: 9,
  Resetting: 15,
  Completing: 16,
  Complete: 17,
} as const
export type StateName = keyof typeof STATE_NUMBER

export const MODE_NUMBER = { Produce: 1, Maintenance: 2 } as const
export type ModeName = keyof typeof MODE_NUMBER
