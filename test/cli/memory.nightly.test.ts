import { test } from 'vitest'
import { checkMemory } from '../support/check-cli-memory.ts'
import { fakeCli } from '../support/fake-cli.ts'

const cli = fakeCli()

test('ten minutes of video need no more memory than half a minute', () => checkMemory(cli, 30, 600))
