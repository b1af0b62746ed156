/**
 * Every error that Takt can raise, in one table: the code is what `catch` nodes, logs and people search for.
 * `what` is the default sentence for what is wrong, `remedy` tells the reader what to do about it.
 * The place (`where`) is known only to the code that raises it.
 */
export const ERROR_CODES = {
  // base
  TAKT_INTERNAL: { what: 'something failed inside Takt', remedy: 'report it with this message and the log around it' },
  TAKT_TIMEOUT: { what: 'an operation did not finish in time', remedy: 'see whether the server it talks to is overloaded or away' },
  TAKT_CONFIG_INVALID: { what: 'a setting is missing or wrong', remedy: 'open the node, correct the field and deploy' },

  // messages: what arrives on a wire
  TAKT_MESSAGE_INVALID: { what: 'the message is not a document this node understands', remedy: 'compare it with the shapes in docs/messages.md' },
  TAKT_MESSAGE_TOO_LARGE: { what: 'the message is larger than the configured limit', remedy: 'send less at a time, or raise the limit on the node' },
  TAKT_MESSAGE_TOO_DEEP: { what: 'the message is nested too deeply', remedy: 'send flatter data' },
  TAKT_MESSAGE_NOT_JSON: { what: 'the payload is not valid JSON', remedy: 'correct the sender, or choose the plain payload format' },
  TAKT_MESSAGE_ENCODING: { what: 'the payload is not UTF-8', remedy: 'let the sender write UTF-8, or choose another payload format' },
  TAKT_MESSAGE_FORBIDDEN_KEY: {
    what: 'the payload has a key that could alter objects (__proto__, constructor, prototype)',
    remedy: 'find out who sends it; rename the key',
  },

  // plant model
  TAKT_PLANT_INVALID: { what: 'the plant model has errors', remedy: 'correct the paths listed; every error is named' },
  TAKT_PLANT_UNREADABLE: { what: 'the plant file cannot be read', remedy: 'check the path and its permissions' },
  TAKT_PLANT_MISSING: { what: 'no plant model is configured', remedy: 'choose a plant in the node and deploy' },
  TAKT_EQUIPMENT_UNKNOWN: { what: 'the equipment is not in the plant model', remedy: 'add it to the plant model, or correct the topic or the id' },
  TAKT_SIGNAL_UNKNOWN: { what: 'the signal is not in the plant model', remedy: 'add it to the equipment, or correct the topic or the name' },

  // samples: values from machines
  TAKT_SAMPLE_SIGNAL_MISSING: {
    what: 'nothing says which signal the value belongs to',
    remedy: 'give a topic <equipment>/<signal>, or set the signal on the node',
  },
  TAKT_SAMPLE_VALUE_MISSING: { what: 'there is no value', remedy: "compare the value path with the sender's payload" },
  TAKT_SAMPLE_VALUE_NOT_FINITE: { what: 'the value is not a finite number', remedy: "check the gateway's scaling and the sensor's wiring" },
  TAKT_SAMPLE_VALUE_TYPE: { what: 'the value has the wrong type', remedy: "compare the value path and the signal's role with what the sender sends" },
  TAKT_SAMPLE_VALUE_INEXACT: {
    what: 'the number is an integer beyond 2^53, which would lose its last digits',
    remedy: 'send a smaller number, or a text for a signal that is no quantity',
  },
  TAKT_SAMPLE_TIME_INVALID: { what: 'the source time cannot be read', remedy: 'send epoch milliseconds or ISO 8601 with an offset, or correct the time path' },
  TAKT_SAMPLE_TIME_FUTURE: { what: 'the source time lies in the future', remedy: "set the sender's clock (NTP), or widen the tolerance on the node" },
  TAKT_SAMPLE_TIME_ANCIENT: { what: 'the source time is too old', remedy: "set the sender's clock (NTP), or widen the tolerance on the node" },
  TAKT_SAMPLE_QUALITY_UNKNOWN: { what: 'the quality is not one that is known', remedy: 'send good, uncertain or bad, or an OPC UA status code' },

  // store
  TAKT_STORE_CONFLICT: { what: 'the document was changed by someone else in the meantime', remedy: 'read it again and repeat the change' },
  TAKT_STORE_LOCKED: { what: 'another process has this database open', remedy: 'stop the other Node-RED, or give each its own file' },
  TAKT_STORE_BUSY: { what: 'another program kept the database locked for too long', remedy: 'close the tool that writes to the database file' },
  TAKT_STORE_FULL: { what: 'there is no space left to write records', remedy: 'free disk space; work goes on by itself afterwards' },
  TAKT_STORE_UNWRITABLE: {
    what: 'the database file or its folder cannot be written',
    remedy: 'check the path and its permissions, or the rights of the user on the database server',
  },
  TAKT_STORE_AWAY: {
    what: 'the database server cannot be reached',
    remedy: 'look at the server and the way to it; it is tried again all the time, and nothing that was confirmed is lost',
  },
  TAKT_STORE_REFUSED: { what: 'the database server refuses the connection', remedy: 'check user, password, database and TLS settings of the store' },
  TAKT_STORE_UNCERTAIN: {
    what: 'the connection broke while a transaction was being made durable, and the server cannot be asked whether it is',
    remedy: 'nothing, where keyed effects or revisions make a repetition harmless; else read before you repeat',
  },
  TAKT_STORE_NOT_EMPTY: {
    what: 'the database that is to be filled has records already',
    remedy: 'give an empty database, or go on with the copy that was begun',
  },
  TAKT_STORE_MOVE: { what: 'the records could not be copied whole', remedy: 'the source is unchanged; see the cause, correct it and begin again' },
  TAKT_STORE_LEADER: { what: 'another instance leads now', remedy: 'nothing: that instance does the work' },
  TAKT_STORE_CORRUPT: { what: 'the file is damaged or is not a database', remedy: 'keep the file aside for examination and restore a backup' },
  TAKT_STORE_IO: { what: 'the disk failed while reading or writing', remedy: 'check the disk and the system log' },
  TAKT_STORE_NEWER: { what: 'the database was written by a newer version of Takt', remedy: 'update Takt, or restore the backup made before the update' },
  TAKT_STORE_MIGRATION: { what: 'the tables could not be brought to this version', remedy: 'nothing was changed; see the cause, correct it and start again' },
  TAKT_STORE_VALUE: { what: 'a value cannot be stored exactly', remedy: 'correct the value where it is made' },
  TAKT_STORE_QUERY: { what: 'the database refused a statement', remedy: 'see the cause; report it if no query of your own made it' },
  TAKT_STORE_READ_ONLY: { what: 'something tried to write outside a transaction', remedy: 'write with store.transaction' },
  TAKT_STORE_FINISHED: { what: 'a transaction was used after its end', remedy: 'await every call inside the transaction' },
  TAKT_STORE_STUCK: {
    what: 'a transaction took too long and was undone',
    remedy: 'wait for nothing but the store inside a transaction, and start no second one there',
  },
  TAKT_STORE_OVERLOADED: { what: 'more is written than the disk takes', remedy: 'send less, or give the store a faster disk' },
  TAKT_STORE_DISK_BUDGET: {
    what: 'the disk is nearly full: new orders are refused, so that what runs can be recorded',
    remedy: 'free disk space, then send the order again; the limits are on the store node',
  },
  TAKT_STORE_CLOSED: { what: 'the store is closed', remedy: 'deploy again; if it stays, report it' },
  TAKT_LEDGER_APPEND_ONLY: { what: 'the ledger can only be appended to', remedy: 'record a new event that corrects the old one' },
  TAKT_LEDGER_FAULT: {
    what: 'rows of the ledger are wrong or missing',
    remedy: 'run the ledger check, compare with a backup and tell who answers for the records',
  },

  TAKT_LEDGER_KEY: {
    what: 'the key that signs the head of the ledger cannot be used',
    remedy: 'make one with `npm run ledger-key -- <file>`, name its file in the store node, and see that Node-RED may read it',
  },

  TAKT_BACKUP_FOLDER: {
    what: 'the folder for backups or archives cannot be used',
    remedy: 'name a folder that can be made and written, with room, on another disk',
  },
  TAKT_BACKUP_SPACE: {
    what: 'there is no room for the copy',
    remedy: 'free space there, keep fewer backups, or choose another folder; what was there before is unchanged',
  },
  TAKT_BACKUP_DAMAGED: { what: 'the backup is not what was written', remedy: 'take another one; keep this one aside for examination' },
  TAKT_BACKUP_FAULTY: {
    what: 'the ledger in the backup is not whole',
    remedy: 'take an older backup, or say --faulty when you know why and want it as it is',
  },
  TAKT_ARCHIVE_BOUNDARY: {
    what: 'the ledger cannot be archived up to there',
    remedy: 'give a day that lies 31 days back or more, and see that the ledger is whole',
  },
  TAKT_ARCHIVE_SEGMENT: {
    what: 'an archived part of the ledger is missing or not what was written',
    remedy: 'nothing was removed by this; look for another copy of the file, and tell who answers for the records',
  },
  TAKT_LEDGER_ARCHIVED: {
    what: 'what is asked for was moved into the archive',
    remedy: 'ask for a later time, or read the archive files; a backup from before has it too',
  },

  // people: who acts, and who signs
  TAKT_PERSON_UNKNOWN: { what: 'there is no such person', remedy: 'correct the id, or add the person' },
  TAKT_PERSON_INVALID: { what: 'what is said of the person is wrong', remedy: 'correct the field that is named; docs/people-and-signatures.md lists them' },
  TAKT_PERSON_EXISTS: { what: 'another person has it already', remedy: 'choose another id, badge or login; ids are never given again' },
  TAKT_PERSON_LAST_ADMINISTRATOR: {
    what: 'nobody would be left who can manage people',
    remedy: 'give the role administrator to somebody else first',
  },
  TAKT_PERSON_REFUSED: { what: 'person or password is wrong, or the person may not sign in', remedy: 'try again; an administrator can set a new password' },
  TAKT_PERSON_LOCKED: { what: 'the person is locked after wrong passwords', remedy: 'wait, or let a supervisor or an administrator unlock it' },
  TAKT_PERSON_NOT_SIGNED_IN: {
    what: 'nobody is known to ask for this: a name in a message is not believed',
    remedy: 'sign in with badge and password at a sign node, and send the session or come over the same dashboard connection',
  },
  TAKT_PERSON_NOT_ALLOWED: { what: 'the person may not do this', remedy: 'let somebody with the role do it, or let an administrator give the role' },
  TAKT_PERSON_CERTIFICATION: { what: 'a certification is missing or has expired', remedy: 'renew it, or let somebody who has it do this' },
  TAKT_PASSWORD_RULES: { what: 'the new password is too easily guessed', remedy: 'choose a longer one of several words, without the own name' },
  TAKT_PASSWORD_EXPIRED: { what: 'the password has expired', remedy: 'change it: topic people/password with person, old password and new one' },
  TAKT_PEOPLE_BUSY: { what: 'too many passwords wait to be checked', remedy: 'try again in a moment; if it stays, see who tries so often' },
  TAKT_SIGN_INVALID: { what: 'it is not a request to sign', remedy: 'send {record, meaning, person, password}; see docs/people-and-signatures.md' },
  TAKT_SIGN_RECORD_UNKNOWN: { what: 'there is no such record', remedy: 'correct kind and id, or send the document itself' },
  TAKT_SIGN_RECORD_CHANGED: { what: 'the record is not the one that was shown any more', remedy: 'look at it as it is now, and sign that' },
  TAKT_SIGN_TWICE: { what: 'the person has signed this record so already', remedy: 'nothing; the first signature stands' },
  TAKT_SIGN_ORDER: { what: 'this signature is not the next one that the record needs', remedy: 'let the one that is named be given first' },
  TAKT_SIGN_SAME_PERSON: { what: 'the record needs signatures of different people', remedy: 'let somebody else sign' },

  // delivery: inbox, outbox, replay
  TAKT_INBOX_CONTRADICTION: {
    what: 'a sender gave the same number to two different messages; the first one counts',
    remedy: "see the sender's numbering: two senders with one name, or one that began anew without a new session",
  },
  TAKT_INBOX_UNREPLAYED: {
    what: 'messages were kept for a sensor that never came back, and were given up',
    remedy: 'nothing, if the sensor was removed on purpose; the ledger names the rows',
  },
  TAKT_INBOX_OVERFLOW: {
    what: 'more messages wait for the store than are kept in memory',
    remedy: 'send less, or give the store a faster disk; senders that can repeat lose nothing',
  },
  TAKT_OUTBOX_GIVEN_UP: {
    what: 'a message to the outside was refused too often and was put aside',
    remedy: "see the receiver's reason in the quarantine, correct it and send the message again",
  },

  // erp: what is reported to the ERP
  TAKT_ERP_AWAY: {
    what: 'the ERP takes no messages now',
    remedy: 'see whether it runs and whether URL, user and password are right; everything waits in the store, and is tried again',
  },
  TAKT_ERP_FAILED: {
    what: 'the ERP fails over a message',
    remedy: "see the ERP's log; it is tried again, others go on, and topic set-aside takes it out of the way",
  },
  TAKT_ERP_REFUSED: {
    what: 'the ERP refuses a message',
    remedy: 'correct what it names, in the ERP or in its interface, and send the message again with topic again',
  },
  TAKT_ERP_MESSAGE_UNKNOWN: {
    what: 'there is no such message to the ERP',
    remedy: 'correct the id; the ledger names all that were written (erp-message.written)',
  },

  // connect: brokers and OPC UA servers
  TAKT_BROKER_AWAY: {
    what: 'the MQTT broker does not answer',
    remedy: 'see whether it runs, and check host, port and firewall; Takt tries again every second',
  },
  TAKT_BROKER_REFUSED: { what: 'the MQTT broker refused the connection', remedy: "check user, password, client id and the broker's access rules" },
  TAKT_BROKER_TLS: { what: 'the encrypted connection to the MQTT broker failed', remedy: 'check the certificates in the TLS settings, and the host name' },
  TAKT_BROKER_SUBSCRIPTION_REFUSED: { what: 'the MQTT broker refused a topic', remedy: "correct the topic, or allow it in the broker's access rules" },
  TAKT_BROKER_PORT: { what: "the embedded broker's port is taken", remedy: 'choose another port, or use the broker that runs there' },
  TAKT_BROKER_OPEN: {
    what: 'the embedded broker would serve everyone without a password',
    remedy: 'set user and password, or let it listen on 127.0.0.1 only',
  },
  TAKT_BROKER_INTERRUPTED: {
    what: 'the MQTT broker kept nothing for us while the connection was lost',
    remedy: 'let the broker keep the session (mqtt broker node) and use QoS 1, where every value counts',
  },
  TAKT_SOURCE_NUMBERS: {
    what: 'numbers that a sender gave to its messages did not arrive',
    remedy: "see the sender's and the broker's queues; let the broker keep the session and more messages",
  },
  TAKT_UNS_TOPIC: {
    what: 'no topic of the unified namespace can be made for the document',
    remedy: 'correct the template on the uns out node, or send only documents that have what it names',
  },
  TAKT_OPCUA_AWAY: { what: 'the OPC UA server does not answer', remedy: 'see whether it runs, and check URL and firewall; Takt tries again every second' },
  TAKT_OPCUA_UNTRUSTED: {
    what: "the OPC UA server's certificate is not trusted",
    remedy: 'compare the thumbprint with the server, then trust it as the message says',
  },
  TAKT_OPCUA_REJECTED: { what: "the OPC UA server does not trust Takt's certificate", remedy: 'let the server trust the certificate named in the message' },
  TAKT_OPCUA_USER: { what: 'the OPC UA server refused the user', remedy: 'check user and password, or leave both empty for anonymous access' },
  TAKT_OPCUA_SECURITY: { what: 'the OPC UA server does not offer this security', remedy: 'choose a mode and policy that the server offers' },
  TAKT_OPCUA_REFUSED: { what: 'the OPC UA server refused a request', remedy: 'compare node id, type and access rights with the server' },
  TAKT_OPCUA_NODE_UNKNOWN: {
    what: 'the OPC UA server refused to monitor a node',
    remedy: "compare the node id with the server's address space, and the user's rights",
  },
  TAKT_OPCUA_OVERFLOW: {
    what: "a signal's queue on the OPC UA server overflowed",
    remedy: 'raise the queue size, shorten the publishing interval, or sample less often',
  },
  TAKT_OPCUA_LOST: {
    what: 'the OPC UA server could not deliver some notifications',
    remedy: 'compare load and network; counters catch up by themselves, other values are missing',
  },
  TAKT_OPCUA_INTERRUPTED: {
    what: 'the OPC UA server no longer had our subscription',
    remedy: 'let it keep subscriptions longer, let their owner take them over (user or certificate instead of anonymous), or let it keep a history',
  },
  TAKT_OPCUA_USER_CERTIFICATE: {
    what: "the user's certificate for the OPC UA server cannot be used",
    remedy: 'give certificate and key as PEM or as paths of PEM files, and the passphrase of an encrypted key',
  },
  TAKT_OPCUA_CERTIFICATE_UNKNOWN: {
    what: 'no certificate with this thumbprint was seen',
    remedy: 'ask the server again and compare the thumbprint; it may have a new certificate',
  },
  TAKT_OPCUA_VALUE: {
    what: 'the value does not fit the type that the OPC UA server has',
    remedy: "compare the command's arguments with the variable's or the method's data types",
  },
  TAKT_OPCUA_ACCESS: {
    what: 'the OPC UA server does not let this user write there',
    remedy: "give the user the right on the server, or correct the command's target",
  },
  TAKT_OPCUA_STALE: {
    what: 'signals have no new value for longer than their staleAfterMs',
    remedy: 'see whether the machine still feeds the server; raise staleAfterMs for signals that change less often',
  },
  TAKT_OPCUA_DEADBAND: {
    what: 'the OPC UA server takes no deadband for a signal',
    remedy: 'remove it; a deadband needs a number, one in percent a variable with its range (EURange)',
  },

  // connect: Sparkplug B
  TAKT_SPARKPLUG_INVALID: { what: 'the payload is no Sparkplug B message', remedy: 'see what publishes on the topic; it must be Sparkplug B 3.0 (protobuf)' },
  TAKT_SPARKPLUG_TOO_LARGE: { what: 'the Sparkplug message is larger than the limits', remedy: 'send less in one message, or raise the limit on the sensor' },
  TAKT_SPARKPLUG_VALUE: { what: 'a metric has a value that is not of its data type', remedy: "correct the metric's data type or value at the edge node" },
  TAKT_SPARKPLUG_STATE: {
    what: 'a STATE message of the primary host cannot be read',
    remedy: 'let the host publish {"online": true, "timestamp": <epoch ms>} as Sparkplug 3.0 asks',
  },
  TAKT_SPARKPLUG_NAME: { what: 'hosts could not tell a metric or device from another by its name', remedy: 'rename it in the plant model' },
  TAKT_SPARKPLUG_BACKLOG: {
    what: 'more values waited for the hosts than are kept; the oldest were given up',
    remedy: 'bring broker and primary host back sooner, or keep more values on the node',
  },
  TAKT_SPARKPLUG_NO_BIRTH: {
    what: 'the Sparkplug device has not told what it can be told',
    remedy: 'see whether its edge node runs on this broker and answers a rebirth request',
  },
  TAKT_SPARKPLUG_DEAD: { what: 'the Sparkplug device is dead', remedy: 'bring the device or its edge node back; commands pass after its next birth' },
  TAKT_SPARKPLUG_METRIC_UNKNOWN: { what: 'the Sparkplug device has no such metric', remedy: "compare the metric with the device's birth" },
  TAKT_SPARKPLUG_TOPIC: {
    what: 'the topic is none of Sparkplug B',
    remedy: 'see what publishes there; topics are spBv1.0/<group>/<message type>/<edge node>[/<device>]',
  },
  TAKT_SPARKPLUG_RETAINED: {
    what: 'a retained Sparkplug message: nobody knows how old it is',
    remedy: 'let the edge node publish without retain, and delete what the broker keeps on the topic',
  },
  TAKT_SPARKPLUG_BIRTH_INVALID: { what: 'a birth certificate is not complete', remedy: 'correct the edge node; what can be used of the birth was used' },
  TAKT_SPARKPLUG_NOT_BORN: { what: 'data of a Sparkplug device that has no birth', remedy: 'see whether the edge node answers rebirth requests (NCMD)' },
  TAKT_SPARKPLUG_UNCONFIRMED: {
    what: 'the Sparkplug edge node does not confirm its births',
    remedy: 'let the host publish NCMD to the edge node, and let it answer Node Control/Rebirth',
  },
  TAKT_SPARKPLUG_SEQUENCE: {
    what: 'messages of a Sparkplug edge node are missing',
    remedy: "compare the broker's limits (queues, QoS 0 under load) and the network",
  },
  TAKT_SPARKPLUG_ALIAS_UNKNOWN: { what: 'the alias is not in the birth', remedy: 'the births were asked for again; if it comes back, correct the edge node' },
  TAKT_SPARKPLUG_ALIAS_DUPLICATE: { what: 'an alias stands for several metrics', remedy: 'give every metric of the edge node an alias of its own' },
  TAKT_SPARKPLUG_TYPE: {
    what: 'a metric has another data type than in its birth',
    remedy: 'let the edge node publish its births anew when a data type changes',
  },
  TAKT_SPARKPLUG_STATE_FOREIGN: {
    what: 'somebody else said that this host application is offline',
    remedy: 'give every host application an id of its own, and see who may publish on spBv1.0/STATE',
  },

  // connect: commands to machines
  TAKT_COMMAND_UNKNOWN: { what: 'the equipment has no such command', remedy: "correct the name, or add the command to the plant model's equipment" },
  TAKT_COMMAND_NOT_ALLOWED: { what: "the command is not in the node's list", remedy: 'add it to the list on the machine command node if it may be given' },
  TAKT_COMMAND_EXPIRED: { what: 'the command came too late', remedy: 'give it again if it is still wanted' },
  TAKT_COMMAND_INTERLOCK: {
    what: 'the interlock does not let the command pass',
    remedy: 'bring the machine into the state that the interlock asks for, then give it again',
  },
  TAKT_COMMAND_INTERLOCK_INVALID: { what: 'the interlock cannot be read', remedy: "correct the command's interlock in the plant model" },
  TAKT_COMMAND_SHADOW: { what: 'not sent: the node only watches', remedy: 'set its autonomy to approve or auto to let commands pass' },
  TAKT_COMMAND_DECLINED: { what: 'a person refused the command', remedy: 'give another command if it is still wanted' },
  TAKT_COMMAND_CONFLICT: { what: 'another command with this id is under way', remedy: 'give every command an id of its own' },
  TAKT_COMMAND_REFUSED: { what: 'the machine refused the command', remedy: "see the machine's reason" },
  TAKT_COMMAND_UNANSWERED: {
    what: 'the machine did not answer',
    remedy: 'see whether it runs and has its commands enabled; look at its state before giving the command again',
  },
  TAKT_COMMAND_CONNECTION: { what: 'the connection of the command is missing', remedy: 'name a broker or endpoint node as the plant model does, and deploy' },

  // detect
  TAKT_SIGNALS_TOO_MANY: {
    what: 'more signals than the node may watch',
    remedy:
      "narrow its filter or its roles to the signals that matter, or raise 'signals at most' on the node; look for a topic with a number that counts up in it",
  },

  // connect: job orders over OPC UA Job Control (OPC 10031-4)
  TAKT_JOB_CONTROL_INVALID: {
    what: 'the job order or job response cannot be used',
    remedy: 'correct the field that is named; docs/job-control.md says what is taken',
  },
  TAKT_JOB_CONTROL_UNSUPPORTED: {
    what: 'the OPC UA server does not offer this part of Job Control',
    remedy: "compare the node id in the plant model's jobReceiver with the server's address space; it must be an ISA95JobOrderReceiver",
  },
  TAKT_JOB_CONTROL_REFUSED: { what: 'the job order receiver refused the command', remedy: 'see its return status, and the state of the job order there' },
  TAKT_JOB_CONTROL_PORT: { what: 'the Job Control server cannot listen', remedy: 'choose another port, or end the program that has it' },
  TAKT_JOB_CONTROL_EXISTS: { what: 'the job order id was used for another job order', remedy: 'give every job order an id of its own; change one with Update' },
  TAKT_JOB_CONTROL_FULL: { what: 'the list of job orders is full', remedy: 'clear those that have ended, or raise the limit on the node' },
  TAKT_JOB_CONTROL_STATE: {
    what: 'the state of the job order does not allow it',
    remedy: 'see its state in the JobOrderList; the legal ways are in docs/job-control.md',
  },

  // connect: the historian and its database
  TAKT_INFLUX_AWAY: {
    what: 'the InfluxDB server does not answer',
    remedy: 'see whether it runs, and check URL and firewall; values wait on this disk meanwhile',
  },
  TAKT_INFLUX_TLS: { what: 'the encrypted connection to the InfluxDB server failed', remedy: 'check the certificates in the TLS settings, and the host name' },
  TAKT_INFLUX_REFUSED: { what: 'the InfluxDB server refused the user', remedy: 'check user and password, or the token, and what they may read and write' },
  TAKT_INFLUX_DATABASE: {
    what: 'the InfluxDB server has no such database or retention policy',
    remedy: 'make it, or let the influxdb node make the database; for InfluxDB 2 map the bucket to a database',
  },
  TAKT_INFLUX_FAILED: { what: 'the InfluxDB server could not do what it was asked', remedy: 'see its reason and its log; values wait on this disk meanwhile' },
  TAKT_INFLUX_POINT: { what: 'the database cannot hold the value', remedy: 'see the reason; a field keeps the type of its first value' },
  TAKT_HISTORY_QUERY: {
    what: 'the question to the historian makes no sense',
    remedy: 'ask with signal, from, to, aggregate and every, as docs/historian.md says',
  },
  TAKT_HISTORIAN_DROPPED: {
    what: 'the database was away for longer than the space on this disk lasts',
    remedy: 'bring the database back, or give the historian more space',
  },
  TAKT_HISTORIAN_KILLED: {
    what: 'Node-RED ended without warning while the historian had values in memory',
    remedy: 'nothing, if those few seconds do not matter; guaranteed delivery keeps them',
  },
  TAKT_HISTORIAN_SPOOL: {
    what: 'values that wait for the database cannot be kept on this disk',
    remedy: "check space and permissions of the historian's folder",
  },

  // quality: measured characteristics against their specification
  TAKT_QUALITY_EXISTS_DIFFERENT: {
    what: 'another measurement has this id',
    remedy: 'give each measurement an id of its own; the first one stands',
  },
  TAKT_QUALITY_VALUE_INVALID: { what: 'the measured value is not a finite number', remedy: 'send one number, or a list of numbers, one a part' },
  TAKT_QUALITY_NOT_ATTRIBUTABLE: {
    what: 'it is not known which job order the measurement belongs to',
    remedy: 'send jobOrder or lot with the value, or bind them in the context of the signal',
  },
  TAKT_QUALITY_JOB_UNKNOWN: {
    what: 'the job order of the measurement is not in the store',
    remedy: "correct the gauge's context, or choose the store that holds the order",
  },
  TAKT_QUALITY_LOT_UNKNOWN: { what: 'the lot is not in the store', remedy: 'correct the lot' },
  TAKT_QUALITY_SPECIFICATION_MISSING: {
    what: 'the operation has no specification for this characteristic',
    remedy: "add it to the operation's characteristics in the work master",
  },

  // reports
  TAKT_REPORT_REQUEST_INVALID: { what: 'the report asked for cannot be made', remedy: 'set type, subject, format and span in the node or in msg.payload' },
  TAKT_REPORT_SUBJECT_UNKNOWN: {
    what: 'there is nothing in the store to report on',
    remedy: 'correct the subject: a work order id, or a unit or line of the plant',
  },
  TAKT_REPORT_TABLE_UNKNOWN: { what: 'the report has no such table', remedy: 'choose one of the tables listed' },
  TAKT_REPORT_PATH_REFUSED: { what: 'the file would lie outside the folder for reports', remedy: 'give a plain file name, or set the folder in the node' },
  TAKT_REPORT_UNWRITABLE: { what: 'the report cannot be written', remedy: 'check the folder, its permissions and the space on the disk' },

  // orders: work orders, job orders, lots
  TAKT_JOB_ORDER_TRANSITION: {
    what: 'the job order cannot go that way from its present state',
    remedy: 'see its state first; the legal ways are in docs/orders.md',
  },
  TAKT_JOB_ORDER_UNKNOWN: { what: 'there is no such job order', remedy: 'correct the id, or release its work order first' },
  TAKT_RESOURCE_UNKNOWN: { what: 'there are no such people or tools', remedy: 'correct the name, or add them to `personnel` or `tools` of the plant model' },
  TAKT_ORDER_UNKNOWN: { what: 'there is no such work order', remedy: 'correct the id, or create the order first' },
  TAKT_ORDER_EXISTS_DIFFERENT: {
    what: 'an order with this id is there already and says something else',
    remedy: 'send the change under a new id, or cancel the order first; nothing was changed',
  },
  TAKT_ORDER_STATE: { what: 'the work order cannot go that way from its present state', remedy: 'see its state first; the legal ways are in docs/orders.md' },
  TAKT_ORDER_TIME: { what: 'a time of the order cannot be read', remedy: 'send epoch milliseconds or ISO 8601' },
  TAKT_ORDER_ROUTING: { what: 'the operations of the order make no sense', remedy: 'correct the operation that is named' },
  TAKT_WORK_MASTER_UNKNOWN: {
    what: 'nothing says how the product is made',
    remedy: 'add the work master to the plant model, or send operations with the order',
  },
  TAKT_JOB_ORDER_NOT_READY: { what: 'the job order cannot be allowed to start yet', remedy: 'see what it waits for' },
  TAKT_IMPORT_MAPPING: {
    what: 'the mapping does not fit the orders that were sent',
    remedy: "compare the mapping on the work order node with the file's columns",
  },
  TAKT_IMPORT_FILE: { what: 'the file of orders cannot be read', remedy: 'put it into the import folder of the work order node, and check its permissions' },
  TAKT_UNIT_HELD: { what: 'a person holds the unit', remedy: 'use another unit, or have it released: topic resume with { equipment, why }' },
  TAKT_UNIT_NOT_HELD: { what: 'nobody holds the unit', remedy: 'nothing; what else blocks it is among its disruptions' },
  TAKT_UNIT_NOT_BACK: {
    what: 'the unit is not back to full work after its repair',
    remedy: 'check its return, or let fewer parts begin; docs/maintenance.md says what it waits for',
  },
  TAKT_MAINTENANCE_UNKNOWN: { what: 'there is no such maintenance order', remedy: 'name a maintenance order, or a unit that has one' },
  TAKT_MAINTENANCE_STATE: { what: 'the repair is not that far, or further', remedy: 'see its state first; the legal ways are in docs/maintenance.md' },
  TAKT_SPARE_MISSING: {
    what: 'a spare that the repair takes is not in stock',
    remedy: 'receive a lot of it with the trace node, or say with topic material when it comes; the repair waits until then',
  },
  TAKT_ORDER_REASON: { what: 'the change needs a reason', remedy: "say why in 'why'" },
  TAKT_ORDER_IN_PROGRESS: { what: 'the order has begun', remedy: 'take back what was allowed to start, or let what runs come to its end' },
  TAKT_ORDER_MERGE: { what: 'the orders cannot become one', remedy: 'merge orders for the same thing, by the same way, in the same state' },
  TAKT_ORDER_TOLERANCE: { what: 'less or more was made than the tolerance allows', remedy: "make the rest, or close the order with a reason in 'why'" },
  TAKT_TEMPLATE_UNKNOWN: { what: 'there is no such template of orders', remedy: 'correct the name, or make the template with topic template' },
  TAKT_ORDER_TEXT: { what: 'a text cannot be stored and shown as it is', remedy: 'send it without control characters, as valid Unicode' },
  TAKT_IMPORT_DUPLICATE: {
    what: 'a row says the same as one before it',
    remedy: 'see whether the work was done twice; records.duplicates of the mapping decides',
  },
  TAKT_IMPORT_SPAN: { what: 'a span does not agree with its start and end', remedy: 'see which of them is right; start and end were taken' },
  TAKT_IMPORT_OVERLAP: { what: 'two records at one unit overlap', remedy: 'see which of the two is right; both were taken as they stand' },
  TAKT_IMPORT_QUANTITY: { what: 'quantities of the file contradict each other', remedy: 'see which is right; the doubt says what was taken' },
  TAKT_IMPORT_NO_TIME: { what: 'a record takes no time', remedy: 'see whether its times were stamped together' },
  TAKT_IMPORT_ROW: { what: 'a row of the file cannot be read', remedy: 'correct the row; the good rows were taken' },
  TAKT_ORDER_QUANTITY: { what: 'the quantity is not a positive number', remedy: 'correct the quantity' },
  TAKT_PROCEDURE_INVALID: { what: 'the procedure has faults', remedy: 'correct the paths that are named; docs/procedures.md lists what a step may have' },
  TAKT_PROCEDURE_UNKNOWN: { what: 'there is no such procedure', remedy: 'name it with its version: mill-shaft@2' },
  TAKT_PROCEDURE_DECIDED: { what: 'the version was decided on before', remedy: 'propose another version' },
  TAKT_PROCEDURE_SAME_PERSON: { what: 'an author does not approve the own version', remedy: 'let somebody else look at the difference and decide' },
  TAKT_PROCEDURE_CHANGED: { what: 'the difference is not the one that was shown', remedy: 'ask for the difference again, and decide on that' },
  TAKT_PROCEDURE_WHO: { what: 'nothing says who it is', remedy: "sign in, or name the person in 'by' where people need not be known" },
  TAKT_PROCEDURE_NONE: { what: 'the job order has no such procedure', remedy: 'name it in the operation of the plant model, or in the message that begins it' },
  TAKT_PROCEDURE_NOT_IN_FORCE: { what: 'no version of the procedure is approved', remedy: 'let a version be approved' },
  TAKT_PROCEDURE_NO_UNIT: { what: 'no plan says yet on which unit the job order runs', remedy: 'plan it first' },
  TAKT_PROCEDURE_NOT_BEGUN: { what: 'the procedure of the job order has not been begun', remedy: 'begin its procedure first' },
  TAKT_PROCEDURE_NOT_MOVED: { what: 'the job order is where it was prepared', remedy: 'go on with the present step' },
  TAKT_PROCEDURE_MOVED: { what: 'the job order was prepared at another unit', remedy: 'begin its procedure again at the new unit (restart), or plan it back' },
  TAKT_PROCEDURE_NOT_STARTED: { what: 'the step comes after the start of the job order', remedy: 'do it when the unit runs' },
  TAKT_PROCEDURE_OVER: { what: 'nothing is done for this job order any more', remedy: 'see its state' },
  TAKT_PROCEDURE_OPEN: { what: 'steps of its procedure are open', remedy: 'do the step that is named; its number and text are on the terminal' },
  TAKT_PROCEDURE_STEP_UNKNOWN: { what: 'the procedure has no such step', remedy: 'show the run again, and do its present step' },
  TAKT_PROCEDURE_STEP_DONE: { what: 'the step was done before', remedy: 'nothing; what was written down stands' },
  TAKT_PROCEDURE_STEP_ORDER: { what: 'the step is not the present one', remedy: 'do the present step first; none can be skipped' },
  TAKT_PROCEDURE_STEP_INVALID: { what: 'it is not what the step asks for', remedy: 'compare it with the step; see docs/procedures.md' },
  TAKT_PROCEDURE_SCAN_WRONG: { what: 'something else was scanned than what is asked for', remedy: 'take the right one, and scan it' },
  TAKT_PROCEDURE_UNIT: { what: 'the value is in another unit', remedy: 'measure in the unit of the step' },
  TAKT_PROCEDURE_OUTSIDE: {
    what: 'the value lies outside the limits',
    remedy: 'find out why and measure again, or let quality accept it with a reason (concession)',
  },
  TAKT_PROCEDURE_WAIT: { what: 'the time of the step is not over', remedy: 'wait; it goes on by itself' },
  TAKT_PROCEDURE_UNSIGNED: { what: 'the signature is missing', remedy: 'sign with person and password' },
  TAKT_PROCEDURE_ROLE: { what: 'the person has not the role that the step asks for', remedy: 'let somebody with the role do it' },
  TAKT_DISPATCH_REFUSED: { what: 'the unit refused the job order', remedy: 'see the reason; it is offered again when the unit changes its state' },
  TAKT_DISPATCH_NO_ANSWER: { what: 'the unit does not take what it was told', remedy: 'see whether it is connected and in automatic mode; it is told again' },
  TAKT_DISPATCH_SHADOW: { what: 'this dispatch node only watches', remedy: 'set its autonomy to approve or auto' },
  TAKT_DISRUPTION_UNKNOWN: { what: 'there is no such disruption', remedy: 'answer with the id of a proposal' },
  TAKT_DISRUPTION_DECIDED: { what: 'the proposal has been decided already', remedy: 'see who decided it; a new alarm makes a new proposal' },
  TAKT_DISRUPTION_SHADOW: { what: 'it was only computed in shadow', remedy: 'set the autonomy to approve or auto; the next one can be accepted' },
  TAKT_ANOMALY_UNKNOWN: { what: 'there is no such anomaly', remedy: 'answer with the id of an anomaly that the store has' },
  TAKT_ANOMALY_NOT_KEPT: { what: 'what people say of alarms is kept in a store, and there is none', remedy: 'choose a store in the node and deploy' },
  TAKT_LOT_UNKNOWN: { what: 'there is no such lot', remedy: 'correct the id; a lot is made when its work order is released' },
  TAKT_LOT_SCRAPPED: { what: 'the lot was scrapped', remedy: 'make the parts again with a new order' },

  // trace: genealogy, containment, EPCIS
  TAKT_TRACE_QUANTITY: {
    what: 'a quantity is none that can be booked',
    remedy: "send a finite number above zero in the lot's own unit; a numbered part has the quantity 1",
  },
  TAKT_TRACE_NAME: { what: 'a name has characters that cannot be kept', remedy: 'send text without control characters, in valid Unicode' },
  TAKT_TRACE_EVENT: { what: 'the event does not have what its kind needs', remedy: 'compare its inputs and outputs with the table in docs/trace.md' },
  TAKT_TRACE_UNIT: { what: 'the quantity is in another unit than the lot', remedy: "send it in the lot's unit; nothing is converted" },
  TAKT_TRACE_MATERIAL: { what: 'the material does not fit', remedy: 'name the material of a lot that is new; a lot keeps the material it has' },
  TAKT_TRACE_BEYOND_STOCK: {
    what: 'more is taken than there is',
    remedy: 'record where the rest came from (receive, produce or adjust), or correct the quantity; nothing was changed',
  },
  TAKT_TRACE_NOT_CONSERVED: { what: 'what goes in is not what comes out', remedy: 'correct the quantities, or record what was lost as scrap' },
  TAKT_TRACE_SELF_PARENT: { what: 'a lot is made from itself', remedy: 'give what is made a lot of its own' },
  TAKT_TRACE_CYCLE: { what: 'a lot would be its own ancestor', remedy: 'give what is made a lot of its own; nothing was changed' },
  TAKT_TRACE_EXISTS_DIFFERENT: {
    what: 'an event with this id is there already and says something else',
    remedy: 'send it under a new id, or correct what was recorded with an adjust; nothing was changed',
  },
  TAKT_TRACE_LOT_HELD: { what: 'the lot is held or scrapped', remedy: 'release it at the quality gate first, with a reason' },
  TAKT_TRACE_PACKED: { what: 'what is packed, or packs something, cannot be used so', remedy: 'unpack it first' },
  TAKT_TRACE_LIMIT: { what: 'the trace has more lots than asked for', remedy: 'raise the limit, or trace from a later lot' },
  TAKT_CONTAINMENT_UNKNOWN: { what: 'there is no such containment', remedy: 'answer with the id of a proposal' },
  TAKT_CONTAINMENT_DECIDED: { what: 'the containment has been decided already', remedy: 'see who decided it; release lots at the quality gate' },
  TAKT_EPCIS_INVALID: { what: 'it is not a valid EPCIS 2.0 document', remedy: 'correct the places that are named' },
  TAKT_EPCIS_EXISTS_DIFFERENT: {
    what: 'an EPCIS event with this eventID was captured already and says something else',
    remedy: 'correct an event with an errorDeclaration and a new eventID, as EPCIS does',
  },
  TAKT_EPCIS_ID: {
    what: 'the id cannot be written so',
    remedy: "give the material's GTIN in the node, or choose ids of your own as URI",
  },
  TAKT_EPCIS_UNKNOWN: { what: 'there is no such EPCIS document', remedy: 'ask with the id that the capture answered with' },
  // scheduling
  TAKT_SCHEDULE_INVALID: { what: 'the scheduling problem has errors', remedy: 'correct the operations listed; every error is named' },
  TAKT_SCHEDULE_CANCELED: { what: 'the search for a plan was stopped', remedy: 'nothing; a newer request replaces it' },
  TAKT_SCHEDULE_WORKER: { what: 'the scheduling thread ended unexpectedly', remedy: 'the next request starts a new one; report it if it happens again' },
  TAKT_PLAN_NO_ALTERNATIVE: { what: 'no unit can do the operation', remedy: 'add an alternative to the work master, or a unit of that class to the plant' },
  TAKT_PLAN_UNIT_UNKNOWN: {
    what: 'the job order names a unit that is not in the plant model',
    remedy: 'add the unit to the plant model, or cancel the job order',
  },
  TAKT_PLAN_NO_OPEN_TIME: {
    what: 'the operation does not fit into the open time of any unit that can do it',
    remedy: 'open the calendar, end the block on the unit, or split the order',
  },
  TAKT_PLAN_UNIT_DOWN: {
    what: 'the only units that can do the operation are down and no repair is planned',
    remedy: 'order the repair, or add an alternative',
  },
  TAKT_PLAN_NO_DURATION: {
    what: 'nothing sensible says how long it takes',
    remedy: 'correct set-up time and time per piece in the work master; for a repair, add maintenance durations to the unit in the plant model',
  },
  TAKT_PLAN_NO_QUANTITY: { what: 'there is nothing to make: the quantity is not above zero', remedy: 'correct the quantity of the order, or cancel it' },
  TAKT_PLAN_NO_OPERATIONS: { what: 'the order has no operations', remedy: 'give the work master operations and make the order again, or cancel it' },
  TAKT_PLAN_ORDER_UNKNOWN: { what: 'the work order of the job order is not in the store', remedy: 'revoke the job order, or bring the work order back' },
  TAKT_PLAN_DUPLICATE: { what: 'two job orders have the same id', remedy: 'give each its own id; the first is planned' },
  TAKT_PLAN_CIRCLE: { what: 'the operation waits for itself', remedy: 'take one of the operations named out of the `after` of the next' },
  TAKT_PLAN_TIME_INVALID: {
    what: 'a time or a number is none that can be planned with',
    remedy: 'correct it in the order, job order or disruption named; the rest of it is planned',
  },
  TAKT_PLAN_DUE_BEFORE_RELEASE: { what: 'the order is due before it is released', remedy: 'correct the release or the due time; it is planned, and late' },
  TAKT_PLAN_TOO_FAR: { what: 'it is to begin more than a year ahead', remedy: 'nothing, it is planned when it comes nearer; or correct its release or pin' },
  TAKT_PLAN_TOO_MANY: {
    what: 'there is more open work than can be planned at once',
    remedy: 'release orders later or split the plant; orders that run, repairs and what is due first are planned',
  },
  TAKT_PLAN_PREDECESSOR: { what: 'an operation before it cannot be planned', remedy: 'see the problem of that operation' },
  TAKT_PLAN_RESOURCE_UNKNOWN: {
    what: 'the operation needs people or a tool that the plant model does not have',
    remedy: 'add them to `personnel` or `tools` of the plant model, or correct the work master and make the order again',
  },
  TAKT_PLAN_RESOURCE_SHORT: {
    what: 'there are never enough people or tools for the operation',
    remedy: 'add some, bring back those that are away, or correct how many the work master asks for',
  },
  TAKT_PLAN_LOT_HELD: { what: 'its lot is held', remedy: 'decide on the lot: release it, rework it or scrap it' },
  TAKT_PLAN_LATE: { what: 'the order will be late', remedy: 'agree on a later due time, raise its priority, or add capacity' },
  TAKT_PLAN_DEADLINE: { what: 'the repair cannot begin before its deadline', remedy: 'stop the running job, begin the repair now, or accept the risk' },
  TAKT_PLAN_PIN: { what: 'the pin cannot be kept', remedy: 'pin the job order to a unit that can do it, or take the pin away' },
  TAKT_PLAN_NO_PROPOSAL: { what: 'no plan waits for approval', remedy: 'send a message to the scheduler to have one made' },
  TAKT_PLAN_STALE: { what: 'the plant changed while the plan was made', remedy: 'nothing; the plan is made again' },
  TAKT_WHAT_IF_INVALID: {
    what: 'the what-if cannot be understood',
    remedy:
      'send {unitDown: {equipment, from?, to}}, {rush: {workOrder}}, {repair: {equipment or jobOrder, start}} or {due: {workOrder, due}}, or a list of them',
  },
  TAKT_WHAT_IF_TIME: { what: 'the time is none, or has passed', remedy: 'write epoch ms, ISO 8601 or local time such as 2026-11-23 22:00, later than now' },
  TAKT_WHAT_IF_UNKNOWN: {
    what: 'there is no such what-if any more',
    remedy: 'ask it again: the last twenty are kept until Node-RED restarts, each for one adoption',
  },
  TAKT_WHAT_IF_STALE: { what: 'the plant has changed since, and the what-if no longer applies', remedy: 'ask it again and look at what it gives now' },
  // simulated plant
  TAKT_SIMULATOR_UNIT_UNKNOWN: {
    what: 'the simulated plant has no such unit',
    remedy: "name a unit of the plant model, by its id or the last part of it ('mill-2')",
  },
  TAKT_SIMULATOR_COMMAND_REFUSED: { what: 'the simulated machine refuses the command', remedy: 'see its reason; command the machine when its state allows it' },
  TAKT_SIMULATOR_PORT: {
    what: 'the simulated OPC UA server cannot listen on its port',
    remedy: 'choose another port on the simulator, and in the OPC UA endpoint that reads it',
  },
  TAKT_SIMULATOR_INPUT: {
    what: 'the simulator does not understand the message',
    remedy: 'send topic break, spoil, speed, pause, resume or reset, as its help says',
  },
  // signal: what machines say of themselves
  TAKT_MACHINE_STATE_UNKNOWN: { what: 'the value is no PackML state', remedy: 'send a PackML state by number (1 to 19) or name, or map it before' },
  TAKT_MACHINE_MODE_UNKNOWN: { what: 'the value is no PackML mode', remedy: 'send 1 (Produce), 2 (Maintenance), 3 (Manual) or the name, or map it before' },
  TAKT_MACHINE_COUNT_INVALID: { what: 'the count is not a running total', remedy: 'send a finite number that is not negative' },
  TAKT_MACHINE_JOB_INVALID: { what: 'the job order that the machine names is no id', remedy: 'send the id as text of at most 200 characters, empty for none' },
} as const satisfies Record<string, { readonly what: string; readonly remedy: string }>

export type ErrorCode = keyof typeof ERROR_CODES
