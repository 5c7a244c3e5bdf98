import { test } from 'vitest'
import { checkMemory } from '../support/check-cli-memory.ts'
import { fakeCli } from '../support/fake-cli.ts'

const cli = fakeCli()

// The maps, if all were held, would be 115 MB more, the frames 60 MB.
test('two minutes of video need no more memory than a quarter', () => checkMemory(cli, 15, 120))
