/** Whether this is the nightly run (`npm run test:nightly`), which tries every member of a kind where each change is tried with the likeliest. */
export const nightly = process.env.DIFFSAL_TEST_NIGHTLY === '1'
