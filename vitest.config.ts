import { availableParallelism, totalmem } from 'node:os'
import { defineConfig } from 'vitest/config'
import { useCompiledLib } from './test/support/compiled-lib.ts'

/** They measure how late, or how soon, something comes, so each has the machine for itself. */
const alone = ['test/event-loop.test.ts', 'test/full-size.full.test.ts', 'test/training/lifetime.test.ts']

const eachFile = 'test/support/each-file.ts'
const shared = {
  pool: 'forks',
  globalSetup: 'test/support/global-setup.ts',
  setupFiles: [eachFile],
  server: { deps: { external: [/\/out\/lib-/] } },
}
const narrow = { ...shared, setupFiles: [eachFile, 'test/support/one-thread.ts'], testTimeout: 60_000, hookTimeout: 60_000 }
const slow = { ...shared, testTimeout: 900_000, hookTimeout: 300_000 }

export default defineConfig({
  test: {
    reporters: ['default', './test/support/count-reporter.ts'],
    // A worker that has used a large network takes a while to end on a busy machine.
    teardownTimeout: 60_000,
    // A file at the paper's full size takes 2.5 GB.
    maxWorkers: Math.max(1, Math.min(availableParallelism(), Math.floor(totalmem() / 3e9))),
    projects: [
      {
        plugins: [useCompiledLib()],
        // A process for each file would spend a second on loading what the one before has loaded. `each-file.ts` tidies up between them.
        test: { ...narrow, isolate: false, name: 'fast', include: ['test/**/*.test.ts'], exclude: ['test/**/*.{full,nightly,mocked}.test.ts', ...alone] },
      },
      // They put something else in the place of a module, which vitest can where it loads the sources itself.
      { test: { ...narrow, name: 'mocked', include: ['test/**/*.mocked.test.ts'] } },
      {
        plugins: [useCompiledLib()],
        test: { ...slow, setupFiles: narrow.setupFiles, name: 'full', include: ['test/**/*.full.test.ts'], exclude: alone },
      },
      // vitest runs projects of one worker after the others.
      { plugins: [useCompiledLib()], test: { ...slow, name: 'alone', include: alone, maxWorkers: 1 } },
      { plugins: [useCompiledLib()], test: { ...slow, name: 'nightly', include: ['test/**/*.nightly.test.ts'], maxWorkers: 1 } },
    ],
  },
})
