/** Whether this is the nightly run (`npm run test:nightly`), which tries what each change is not tried with. */
export const nightly = process.env.DIFFSAL_TEST_NIGHTLY === '1'

/** Of a kind with many alike members the first, the likeliest to tell; every night all. */
export function likeliest<Member>(members: readonly Member[]): readonly Member[] {
  return nightly ? members : members.slice(0, 1)
}
