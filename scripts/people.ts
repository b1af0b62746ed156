import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { systemClock } from '../core/base/clock.ts'
import { TaktError } from '../core/base/error.ts'
import { People } from '../core/people/people.ts'
import { readSigningKey } from '../core/store/anchor-key.ts'
import { openStore } from '../core/store/open-store.ts'
import { postgresTarget } from '../core/store/postgres-target.ts'
import { tlsOf } from './postgres-tls.ts'

/** `npm run people`: makes the first administrator of a store, and helps who is locked out. What needs no file or database login is done at a sign node. */
const USAGE = `Usage: npm run people -- <database file | postgres://user@host/database> <command>
  first-administrator --id <id> --name <name>   once, while nobody can manage people
  list
  new-password --id <id> --why <reason>         to be changed at first use; also unlocks
  unlock --id <id> --why <reason>
Options: --key <file> where the store has a signing key, --anchor <file> and --ca <file> for a server.
The password is asked for, or read from the first line of standard input. Stop Node-RED first: it holds the file.`

const BY = 'command-line'

try {
  const { values, positionals } = parseArgs({
    options: {
      id: { type: 'string' },
      name: { type: 'string' },
      why: { type: 'string' },
      key: { type: 'string' },
      anchor: { type: 'string' },
      ca: { type: 'string' },
    },
    allowPositionals: true,
  })
  const [database, command] = positionals
  if (database === undefined || command === undefined || positionals.length > 2) throw new TypeError('a database and a command are needed')
  const store = open(database, values)
  const people = new People(store, systemClock)
  try {
    console.log(await run(people, command, values))
  } finally {
    await store.close()
  }
} catch (error) {
  console.error(error instanceof TaktError ? error.message : `${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
  process.exitCode = error instanceof TaktError ? 1 : 2
}

interface Options {
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly why?: string | undefined
  readonly key?: string | undefined
  readonly anchor?: string | undefined
  readonly ca?: string | undefined
}

function open(database: string, { key: keyFile, anchor, ca }: Options) {
  const key = keyFile === undefined ? undefined : readSigningKey(keyFile)
  if (/^postgres(ql)?:\/\//.test(database)) {
    const login = { url: database, tls: tlsOf(ca) }
    postgresTarget(login, 'arguments')
    return openStore({ postgres: { ...login, anchor }, clock: systemClock, key })
  }
  // a misspelt name must not become a new store
  if (!existsSync(database)) throw new TypeError(`there is no file ${database}: deploy a store node first`)
  return openStore({ file: database, clock: systemClock, key })
}

async function run(people: People, command: string, { id, name, why }: Options): Promise<string> {
  switch (command) {
    case 'first-administrator': {
      const made = await people.firstAdministrator({ id, name, password: await password() })
      return `${made.name} (${made.id}) can manage people now: sign in at a sign node and add the others.`
    }
    case 'list': {
      const all = await people.list()
      return all.map(({ id, name, roles, active, locked }) => [id, name, roles.map(({ role }) => role).join(','), active ? '' : 'inactive', locked === null ? '' : 'locked'].join('\t')).join('\n') // biome-ignore format: one line
    }
    case 'new-password':
      await people.setPassword(id ?? '', await password(), BY, why)
      return `${id} has a new password, to be changed at first use.`
    case 'unlock':
      await people.unlock(id ?? '', BY, why)
      return `${id} is not locked.`
    default:
      throw new TypeError(`'${command}' is no command`)
  }
}

/** Typed without an echo, or the first line of what is piped in. */
async function password(): Promise<string> {
  const { stdin } = process
  const hidden = stdin.isTTY === true
  if (hidden) {
    process.stderr.write('Password: ')
    stdin.setRawMode(true)
  }
  try {
    let typed = ''
    for await (const chunk of stdin.setEncoding('utf8')) {
      for (const character of chunk as string) {
        if (character === '\n' || character === '\r' || character === '\u0004') return typed
        if (character === '\u0003') throw new TypeError('interrupted')
        typed = character === '\u007f' ? typed.slice(0, -1) : typed + character
      }
    }
    return typed
  } finally {
    if (hidden) {
      stdin.setRawMode(false)
      process.stderr.write('\n')
    }
  }
}
