#!/usr/bin/env node
import { fileLimitSentence } from './terminal/file-limit.ts'
import { tell } from './terminal/print.ts'
import { printing } from './terminal/standard-output.ts'

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
