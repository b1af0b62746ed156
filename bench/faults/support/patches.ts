import type { Patch } from './variant.ts'

/**
 * What the harness changes in a build of its own: places where the process dies, and faults that it must see. The shipped palette has no switch for either.
 * test/house checks that every patch still finds its place in the source.
 */

/** Dies at the passing of a place that the environment names, FAULTS_STEP, at its FAULTS_STEP_AT-th time. */
function dieAt(step: string): string {
  return `if (process.env.FAULTS_STEP === '${step}' && (globalThis.taktPassed = (globalThis.taktPassed ?? 0) + 1) === Number(process.env.FAULTS_STEP_AT)) process.kill(process.pid, 'SIGKILL');`
}

export interface Step {
  readonly name: string
  readonly patch: Patch
}

/** The way of a guaranteed message, in its order. */
export const STEPS: readonly Step[] = [
  {
    name: 'before the commit',
    patch: {
      file: 'core/store/inbox.ts',
      find: 'const outcomes = await this.#store.transaction((tx) => {',
      replace: `${dieAt('before the commit')}\n      const outcomes = await this.#store.transaction((tx) => {`,
    },
  },
  {
    name: 'after the commit',
    patch: {
      file: 'core/store/inbox.ts',
      find: 'await this.#quarantine(outcomes)\n',
      replace: `${dieAt('after the commit')}\n      await this.#quarantine(outcomes)\n`,
    },
  },
  {
    name: 'before the acknowledgement',
    patch: {
      file: 'core/connect/intake.ts',
      find: 'function acknowledge({ resolve }: Waiting): void {\n',
      replace: `function acknowledge({ resolve }: Waiting): void {\n  ${dieAt('before the acknowledgement')}\n`,
    },
  },
  {
    name: 'after the acknowledgement',
    patch: {
      file: 'core/connect/mqtt-acknowledge.ts',
      find: "_sendPacket({ cmd: 'puback', messageId: entry.messageId, reasonCode: 0 })",
      replace: `_sendPacket({ cmd: 'puback', messageId: entry.messageId, reasonCode: 0 }); ${dieAt('after the acknowledgement')}`,
    },
  },
  {
    name: 'before the effect',
    patch: {
      file: 'core/store/transaction.ts',
      find: "    const result = await this.db\n      .insertInto('effect')",
      replace: `    ${dieAt('before the effect')}\n    const result = await this.db\n      .insertInto('effect')`,
    },
  },
  {
    name: 'after the effect',
    patch: {
      file: 'nodes/shared/keyed-effects.ts',
      find: '      await effect()\n      release()\n',
      replace: `      await effect()\n      ${dieAt('after the effect')}\n      release()\n`,
    },
  },
]

export interface SeededFault {
  readonly name: string
  readonly patches: readonly Patch[]
}

export const ACKNOWLEDGES_EARLY: SeededFault = {
  name: 'acknowledges before the commit',
  patches: [
    {
      file: 'core/connect/intake.ts',
      find: 'this.#queue.push({ arrival: { ...arrival, source }, since: performance.now(), resolve, reject })',
      replace: 'this.#queue.push({ arrival: { ...arrival, source }, since: performance.now(), resolve, reject }); resolve()',
    },
  ],
}

/** The case drops the index of the database as well. */
export const NO_UNIQUE_KEY: SeededFault = {
  name: 'inbox without a unique key',
  patches: [
    {
      file: 'core/store/inbox-rows.ts',
      find: 'if (known !== undefined) return {',
      replace: 'if (known !== undefined && Math.abs(0) > 1) return {',
    },
  ],
}

export const EFFECTS_UNKEYED: SeededFault = {
  name: 'effects without their key',
  patches: [
    {
      file: 'core/store/transaction.ts',
      find: 'return result.numInsertedOrUpdatedRows === 1n\n  }\n\n  #row(',
      replace: 'return result.numInsertedOrUpdatedRows < 2n\n  }\n\n  #row(',
    },
  ],
}

/** Whoever asked hears of success while the commit is still to come. */
export const TOLD_EARLY: SeededFault = {
  name: 'told before the commit',
  patches: [{ file: 'core/store/writer-queue.ts', find: 'settled.push(() => job.resolve(result))', replace: 'job.resolve(result)' }],
}

/** Rows of the ledger are written on their own, after the commit of what they tell of. */
export const LEDGER_APART: SeededFault = {
  name: 'ledger written outside of the transaction',
  patches: [
    {
      file: 'core/store/sqlite-worker.ts',
      find: 'return this.#inTransaction(() => this.#writer.append(order.rows), true)',
      replace: 'return void ((globalThis as any).taktLate ??= []).push(order.rows)',
    },
    {
      file: 'core/store/sqlite-worker.ts',
      find: "this.#inTransaction(() => this.#writer.run('COMMIT', []))\n",
      replace:
        "this.#inTransaction(() => this.#writer.run('COMMIT', []))\n        for (const rows of ((globalThis as any).taktLate ?? []).splice(0)) this.#writer.append(rows)\n",
    },
  ],
}

/** Rows of the outbox are gone when somebody takes them, and not when they have arrived. */
export const OUTBOX_DELETED_EARLY: SeededFault = {
  name: 'outbox deleted before it is delivered',
  patches: [
    {
      file: 'core/store/outbox-rows.ts',
      find: ".updateTable('outbox')\n      .set({ leased_by: owner, leased_until: until })",
      replace: ".deleteFrom('outbox')",
    },
  ],
}

export const ANCHORED_ONCE: SeededFault = {
  name: 'anchor written only once',
  patches: [
    {
      file: 'core/store/sqlite-worker.ts',
      find: 'if (head !== null) this.#anchor?.save(head)',
      replace: 'if (head !== null && head.sequence < 3) this.#anchor?.save(head)',
    },
  ],
}

/** Nobody asks inside the transaction who leads. */
export const LEADER_UNGUARDED: SeededFault = {
  name: 'lead not asked for inside the transaction',
  patches: [
    {
      file: 'core/store/leadership.ts',
      find: 'if (lease?.holder === this.#self && lease.token === token) return\n    throw',
      replace: 'if (lease !== undefined) return\n    throw',
    },
  ],
}

export const ALL_PATCHES: readonly Patch[] = [
  ...STEPS.map(({ patch }) => patch),
  ...ACKNOWLEDGES_EARLY.patches,
  ...NO_UNIQUE_KEY.patches,
  ...EFFECTS_UNKEYED.patches,
  ...TOLD_EARLY.patches,
  ...LEDGER_APART.patches,
  ...OUTBOX_DELETED_EARLY.patches,
  ...ANCHORED_ONCE.patches,
  ...LEADER_UNGUARDED.patches,
]
