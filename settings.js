/**
 * The Node-RED settings that `npm start` runs with. Meant to be copied to a plant: put it into the user directory as `settings.js`.
 * What Node-RED's own file explains is not explained again: https://nodered.org/docs/user-guide/runtime/configuration
 *
 * Secure as it stands: the editor and the dashboard answer on this machine only. To open them to others, set
 *
 *   TAKT_HOST                 0.0.0.0, or the address of one network card
 *   TAKT_ADMIN_PASSWORD_HASH  what `npx node-red-admin hash-pw` prints (in single quotes: it has dollar signs)
 *   TAKT_ADMIN_USER           the name that goes with it; admin
 *   TAKT_USER_PASSWORD_HASH   a second password that opens the dashboard but not the editor; without it the admin's opens both
 *   TAKT_USER                 the name that goes with it; operator
 *   TAKT_TLS_KEY, TAKT_TLS_CERT  PEM files. Without them passwords travel readable: then put a proxy with TLS in front
 *
 * Bound to anything but this machine and without a password it refuses to start.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const env = process.env
const userDir = env.TAKT_USER_DIR || dirname(fileURLToPath(import.meta.url))
const host = env.TAKT_HOST || '127.0.0.1'
const onlyHere = ['127.0.0.1', '::1', 'localhost'].includes(host)

const admin = env.TAKT_ADMIN_PASSWORD_HASH ? { user: env.TAKT_ADMIN_USER || 'admin', pass: env.TAKT_ADMIN_PASSWORD_HASH } : undefined
const operator = env.TAKT_USER_PASSWORD_HASH ? { user: env.TAKT_USER || 'operator', pass: env.TAKT_USER_PASSWORD_HASH } : admin

if (!onlyHere && admin === undefined) {
  throw new Error(
    `TAKT_HOST is ${host}, so others could reach the editor, and no password is set. To do: set TAKT_ADMIN_PASSWORD_HASH to what 'npx node-red-admin hash-pw' prints, or leave TAKT_HOST away.`,
  )
}

/**
 * Passwords in the flow's credentials are encrypted with this. Keep it: without it they are lost.
 * From TAKT_CREDENTIAL_SECRET, else made once and kept in a file that only this user can read.
 */
function credentialSecret() {
  if (env.TAKT_CREDENTIAL_SECRET) return env.TAKT_CREDENTIAL_SECRET
  const file = join(userDir, 'credential-secret')
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    const secret = randomBytes(32).toString('hex')
    mkdirSync(userDir, { recursive: true })
    writeFileSync(file, `${secret}\n`, { mode: 0o600, flag: 'wx' })
    return secret
  }
}
const secret = credentialSecret()

/** Who logged in, deployed, or was refused: one JSON line each, a file a month, `audit-2026-03.log` in the user directory. */
function auditLog() {
  let month = ''
  let file
  return (entry) => {
    const time = new Date(entry.timestamp).toISOString()
    if (time.slice(0, 7) !== month) {
      month = time.slice(0, 7)
      file?.end()
      file = createWriteStream(join(userDir, `audit-${month}.log`), { flags: 'a', mode: 0o600 })
      file.on('error', (error) => console.error(`The audit log cannot be written: ${error.message}`))
    }
    file.write(`${JSON.stringify({ ...entry, timestamp: undefined, time })}\n`)
  }
}

/**
 * Without a password, being on this machine is all the protection there is. A web page that a person here looks at must not get round it by
 * giving its own name this machine's address, so requests for any other name are refused.
 */
function onlyThisMachine(request, response, next) {
  const name = (request.headers.host ?? '').replace(/:\d+$/, '')
  if (!onlyHere || admin !== undefined || ['127.0.0.1', '[::1]', 'localhost'].includes(name)) return next()
  response.status(403).send('This Node-RED answers to localhost only.')
}

/**
 * Dashboard 2.0 opens its socket beside the pages, where no password is asked. So whoever got a page gets a cookie with it, and the socket asks for that.
 * Other web sites never see the cookie, so they cannot press the plant's buttons either.
 */
const pass = createHmac('sha256', secret).update('dashboard').digest('hex')
const COOKIE = 'takt-dashboard'

function givePass(_request, response, next) {
  response.setHeader('Set-Cookie', `${COOKIE}=${pass}; Path=/; HttpOnly; SameSite=Strict`)
  next()
}

function askPass(socket, next) {
  const cookies = (socket.handshake.headers.cookie ?? '').split(/;\s*/)
  const given = cookies.find((cookie) => cookie.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1) ?? ''
  if (given.length === pass.length && timingSafeEqual(Buffer.from(given), Buffer.from(pass))) return next()
  next(new Error('open the dashboard page first'))
}

const settings = {
  userDir,
  flowFile: 'flows.json',
  flowFilePretty: true,
  credentialSecret: secret,

  uiHost: host,
  uiPort: Number(env.TAKT_PORT || env.PORT || 1880),
  httpAdminMiddleware: onlyThisMachine,
  httpNodeMiddleware: onlyThisMachine,
  dashboard: { middleware: [onlyThisMachine, givePass], ioMiddleware: askPass },

  // nothing is sent to anyone
  telemetry: { enabled: false, updateNotification: false },

  // People with the editor may install palettes from the catalogue, but not upload files, and flows bring in no packages by themselves.
  externalModules: { palette: { allowInstall: true, allowUpload: false }, modules: { allowInstall: false } },
  functionExternalModules: false,
  exportGlobalContextKeys: false,

  // what flows remember survives a restart; written every 30 seconds and when Node-RED stops
  contextStorage: { default: { module: 'localfilesystem' }, memory: { module: 'memory' } },

  logging: {
    console: { level: env.TAKT_LOG || 'info', metrics: false, audit: false },
    audit: { level: 'off', metrics: false, audit: true, handler: auditLog },
  },

  diagnostics: { enabled: true, ui: true },
  runtimeState: { enabled: false, ui: false },
  debugMaxLength: 2000,

  editorTheme: {
    page: { title: 'Takt' },
    header: { title: 'Takt' },
    tours: false,
    palette: { categories: ['subflows', 'IIoT', 'MES', 'dashboard 2', 'common', 'function', 'network', 'sequence', 'parser', 'storage'] },
    codeEditor: { lib: 'monaco' },
    multiplayer: { enabled: false },
  },
}

if (admin !== undefined) {
  settings.adminAuth = {
    type: 'credentials',
    sessionExpiryTime: 8 * 3600,
    users: [{ username: admin.user, password: admin.pass, permissions: '*' }],
  }
  settings.httpNodeAuth = operator
}

if (env.TAKT_TLS_KEY && env.TAKT_TLS_CERT) {
  // read anew every 12 hours, so that a renewed certificate is taken without a restart
  settings.https = () => ({ key: readFileSync(env.TAKT_TLS_KEY), cert: readFileSync(env.TAKT_TLS_CERT) })
  settings.httpsRefreshInterval = 12
  settings.requireHttps = true
}

// Node-RED asks for this file with `require`, which gives it this
export { settings as default, settings as 'module.exports' }
