import { availableParallelism, totalmem } from 'node:os'
import { defineConfig } from 'vitest/config'

/** They measure how late, or how soon, something comes, so each has the machine for itself. */
const alone = ['test/event-loop.test.ts', 'test/full-size.full.test.ts', 'test/training/lifetime.test.ts']

const shared = { pool: 'forks', globalSetup: 'test/support/global-setup.ts' } as const
const slow = { testTimeout: 900_000, hookTimeout: 300_000 }

export default defineConfig({
  test: {
    reporters: ['default', './test/support/count-reporter.ts'],
    // A worker that has used a large network takes a while to end on a busy machine.
    teardownTimeout: 60_000,
    // A file at the paper's full size takes 2.5 GB.
    maxWorkers: Math.max(1, Math.min(availableParallelism(), Math.floor(totalmem() / 3e9))),
    projects: [
      {
        test: {
          ...shared,
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.{full,nightly}.test.ts', ...alone],
          setupFiles: 'test/support/one-thread.ts',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...shared,
          ...slow,
          name: 'full',
          include: ['test/**/*.full.test.ts'],
          exclude: alone,
          setupFiles: 'test/support/one-thread.ts',
        },
      },
      // vitest runs projects of one worker after the others.
      { test: { ...shared, ...slow, name: 'alone', include: alone, maxWorkers: 1 } },
      { test: { ...shared, ...slow, name: 'nightly', include: ['test/**/*.nightly.test.ts'], maxWorkers: 1 } },
    ],
  },
})
