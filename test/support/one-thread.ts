import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'

// As many test files run at once as there are cores. A model that took all of them too, as it does by default, would only wait for the others.
os.availableParallelism = () => 1
syncBuiltinESMExports()

// The threads of a test that asks for more sleep while they wait, rather than to keep a core from another test.
process.env.OMP_WAIT_POLICY = 'passive'
