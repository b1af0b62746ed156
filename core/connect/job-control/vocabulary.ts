/** Words and numbers of OPC UA for ISA-95 Job Control (OPC 10031-4 v2.0.0, nodeset Opc.Ua.ISA95-JobControl 2.0.0). */

export const JOB_CONTROL_URI = 'http://opcfoundation.org/UA/ISA95-JOBCONTROL_V2/'

/** Methods of ISA95JobOrderReceiverObjectType that hand over a whole job order. */
export const ORDER_METHODS = ['Store', 'StoreAndStart', 'Update'] as const
/** Those that name one that is there. */
export const JOB_METHODS = ['Start', 'RevokeStart', 'Pause', 'Resume', 'Stop', 'Abort', 'Cancel', 'Clear'] as const
export const RECEIVER_METHODS = [...ORDER_METHODS, ...JOB_METHODS] as const
export type OrderMethod = (typeof ORDER_METHODS)[number]
export type JobMethod = (typeof JOB_METHODS)[number]
export type ReceiverMethod = (typeof RECEIVER_METHODS)[number]

/** Methods of ISA95JobResponseProviderObjectType. */
export const RESPONSE_METHODS = ['RequestJobResponseByJobOrderID', 'RequestJobResponseByJobOrderState'] as const

/** Numeric identifiers of the nodeset's data types. */
export const DATA_TYPES = { jobOrder: 3008, jobOrderAndState: 3015, jobResponse: 3013, state: 3006 } as const

export const OBJECT_TYPES = {
  receiver: 'ISA95JobOrderReceiverSubStatesType',
  provider: 'ISA95JobResponseProviderObjectType',
  statusEvent: 'ISA95JobOrderStatusEventType',
} as const

/** Numeric identifier of ISA95JobResponseProviderObjectType, by which a client finds it. */
export const PROVIDER_TYPE = 1003

/** How long an id may be: what a store's document takes, with room for what is put before it. */
export const LONGEST_ID = 100
