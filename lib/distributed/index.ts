export { Group } from './group.ts'
export { join } from './join.ts'
export type { JoinOptions } from './join.ts'
