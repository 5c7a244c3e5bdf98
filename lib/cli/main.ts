#!/usr/bin/env node
import { fileLimitSentence } from './file-limit.ts'
import { printing } from './standard-output.ts'
import { tell } from './terminal.ts'

// Loaded in here, for node opens all of a program's files at once: where it may open few, that already fails.
process.exitCode = await printing(async () => {
  try {
    const { runCli } = await import('./program.ts')
    return await runCli(process.argv)
  } catch (error) {
    const sentence = fileLimitSentence(error)
    if (sentence === undefined) throw error
    tell(`diffsal: ${sentence}`)
    return 5
  }
})
