import { TaktError } from '../base/error.ts'

const NO_ROOM: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** What went wrong with files of a backup or archive, as a coded error; what is coded already stays, but for a disk that is full. */
export function folderError(thrown: unknown, where: string): TaktError {
  if (thrown instanceof TaktError) return thrown.code === 'TAKT_STORE_FULL' ? new TaktError('TAKT_BACKUP_SPACE', { where, cause: thrown }) : thrown
  const { code, message } = thrown as NodeJS.ErrnoException
  if (code !== undefined && NO_ROOM.has(code)) return new TaktError('TAKT_BACKUP_SPACE', { where, cause: thrown })
  if (code === 'ENOTDIR' || code === 'EEXIST')
    return new TaktError('TAKT_BACKUP_FOLDER', { what: 'there is a file where the folder should be', where, cause: thrown })
  if (code !== undefined && /^E[A-Z]+$/.test(code))
    return new TaktError('TAKT_BACKUP_FOLDER', { what: `the folder cannot be used (${code})`, where, cause: thrown })
  return new TaktError('TAKT_INTERNAL', { what: message ?? String(thrown), where, cause: thrown })
}
