import { timingSafeEqual } from 'node:crypto'

/** `control` may call the methods, `view` may only read and listen. */
export type UserRole = 'control' | 'view'

export interface ServerUser {
  readonly name: string
  readonly password: string
  readonly role: UserRole
}

/** Who may come in, and what they may do. Nobody, unless named; anonymous users only read, and only when that is chosen. */
export class ServerUsers {
  readonly #users: ReadonlyMap<string, ServerUser>
  readonly anonymous: boolean

  constructor(users: readonly ServerUser[], anonymous: boolean) {
    this.#users = new Map(users.map((user) => [user.name, user]))
    this.anonymous = anonymous
  }

  isValid(name: string, password: string): boolean {
    const user = this.#users.get(name)
    // as long for a name that is not known as for one that is
    const right = isSame(password, user?.password ?? password.replace(/./, '\0'))
    return user !== undefined && right
  }

  mayControl(name: string): boolean {
    return this.#users.get(name)?.role === 'control'
  }
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.alloc(256), Buffer.alloc(256)]
  a.write(given)
  b.write(wanted)
  return timingSafeEqual(a, b) && given.length === wanted.length
}
