// Follows a pointer of the stand-in accelerator, as a host must not: argv[2] is the accelerator's module.
import { createRequire } from 'node:module'
import { createModel } from './package.mjs'

// Opens libtorch.
await (await createModel()).dispose()

createRequire(import.meta.url)(process.argv[2]).provoke('read by the host')
