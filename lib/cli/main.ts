#!/usr/bin/env node
import { runCli } from './program.ts'
import { printing } from './standard-output.ts'

process.exitCode = await printing(() => runCli(process.argv))
