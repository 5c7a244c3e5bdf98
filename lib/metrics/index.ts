export { bootstrap } from './bootstrap.ts'
export type { BootstrapOptions, Interval } from './bootstrap.ts'
export { aucJudd, cc, centreBias, informationGain, kl, nss, shuffledAuc, sim } from './metrics.ts'
export { score } from './score.ts'
