import { chmodSync, chownSync, mkdirSync, realpathSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { checkTrusted } from '../../lib/libtorch/trust.ts'
import { expectDiffSalError } from '../support/expect-error.ts'
import { temporaryPath } from '../support/temporary.ts'

let made = 0

/** A folder that looks like libtorch, two folders below one of its own. */
function libtorch(): string {
  const dir = temporaryPath(`trust-${made++}/cache/torch`)
  mkdirSync(join(dir, 'lib'), { recursive: true })
  for (const name of ['libtorch.so', 'libtorch_cpu.so', 'libc10.so']) writeFileSync(join(dir, 'lib', name), '')
  return realpathSync(dir)
}

const user = process.getuid!()
const other = user + 4321

/** What the system says, but for one path, which belongs to another user. */
const ownedByOther = (path: string) => ({
  user,
  stat: (asked: string) => ({ mode: statSync(asked).mode, uid: asked === path ? other : statSync(asked).uid }),
})

test('a folder of this user in one of everybody that is sticky, as /tmp, is trusted', () => {
  const dir = libtorch()
  chmodSync(dirname(dirname(dir)), 0o1777)
  checkTrusted(dir, {})
  symlinkSync(dir, `${dirname(dir)}/link`)
  checkTrusted(`${dirname(dir)}/link`, {})
})

test.each([
  ['the folder', (dir: string) => dir, /chmod -R o-w '.*\/torch'/],
  ['its lib', (dir: string) => join(dir, 'lib'), /chmod -R o-w '.*\/torch'/],
  ['a library', (dir: string) => join(dir, 'lib/libc10.so'), /chmod -R o-w '.*\/torch'/],
  ['a folder above', (dir: string) => dirname(dir), /chmod o-w '.*\/cache'/],
])('what everybody can write is refused, with the command that mends it: %s', async (_name, which, command) => {
  const dir = libtorch()
  const path = which(dir)
  chmodSync(path, 0o777)
  await expectDiffSalError(() => checkTrusted(dir, {}), 'ERR_DIFFSAL_LIBTORCH_MISSING', path, /every user/, command, /DIFFSAL_TRUST_CACHE=1/)
  checkTrusted(dir, { DIFFSAL_TRUST_CACHE: '1' })
  chmodSync(path, 0o755)
  checkTrusted(dir, {})
})

test.each([
  ['the folder', (dir: string) => dir, /sudo chown -R \d+ '.*\/torch'/],
  ['a library', (dir: string) => join(dir, 'lib/libtorch.so'), /sudo chown -R \d+ '.*\/torch'/],
  ['a folder above', (dir: string) => dirname(dir), /npx diffsal setup --from '.*\/torch'/],
])("another user's is refused, with the command that mends it: %s", async (_name, which, command) => {
  const dir = libtorch()
  const path = which(dir)
  await expectDiffSalError(() => checkTrusted(dir, {}, ownedByOther(path)), 'ERR_DIFFSAL_LIBTORCH_MISSING', path, `another user (${other})`, command)
  checkTrusted(dir, { DIFFSAL_TRUST_CACHE: '1' }, ownedByOther(path))
})

test.runIf(user === 0)('what another user truly owns is refused', async () => {
  const dir = libtorch()
  chownSync(join(dir, 'lib/libc10.so'), other, other)
  await expectDiffSalError(() => checkTrusted(dir, {}), 'ERR_DIFFSAL_LIBTORCH_MISSING', 'libc10.so', 'chown')
  expect(statSync(join(dir, 'lib/libc10.so')).uid).toBe(other)
})
