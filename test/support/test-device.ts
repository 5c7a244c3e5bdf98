import { devices } from '../../lib/index.ts'

/**
 * The device of the tests that hold the network to golden values: DIFFSAL_TEST_DEVICE (`cuda:0`), else the CPU. Where the variable names
 * one that is not there, they fail rather than test another.
 */
export const testDevice = process.env.DIFFSAL_TEST_DEVICE || 'cpu'

/** The first CUDA device, for tests of what only CUDA has. Where there is none they are skipped, and a line says so. */
export const cudaDevice = devices().find(({ type }) => type === 'cuda')?.id
