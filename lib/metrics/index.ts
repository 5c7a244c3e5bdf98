export { aucJudd, cc, centreBias, informationGain, kl, nss, shuffledAuc, sim } from './metrics.ts'
export { score } from './score.ts'
