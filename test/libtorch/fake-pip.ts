import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A PATH with one program on it, a `python3` whose pip does what the test says. */
export interface FakePip {
  readonly PATH: string
  /** The sources and requirements of each `pip download`, in order. */
  calls(): string[]
}

/** `answer` is the shell code of `pip download`: `$dest` is the folder to put wheels into, `$args` everything after it,
 * `$platforms` what was asked for. */
export function fakePip(folder: string, answer: string): FakePip {
  mkdirSync(folder)
  const log = join(folder, 'calls.log')
  const program = join(folder, 'python3')
  writeFileSync(
    program,
    `#!/bin/sh
case "$*" in *--version*) exit 0 ;; esac
while [ $# -gt 0 ]; do
  case "$1" in
    --platform=*) platforms="$platforms \${1#--platform=}" ;;
    --dest=*) dest="\${1#--dest=}"; shift; break ;;
  esac
  shift
done
args="$*"
echo "$args" >>'${log}'
/bin/mkdir -p "$dest"
${answer}
`,
  )
  chmodSync(program, 0o755)
  return { PATH: folder, calls: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []) }
}
