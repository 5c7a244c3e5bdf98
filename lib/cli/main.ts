#!/usr/bin/env node
import { runCli } from './program.ts'

// A reader that went away ("| head") is no failure.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

process.exitCode = await runCli(process.argv)
