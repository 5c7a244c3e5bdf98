import { choice } from './table.ts'

/** When a call's turn comes among those that wait for a model: the more urgent first. */
export const priorities = ['high', 'normal', 'low'] as const

/** One of {@link priorities}. */
export type Priority = (typeof priorities)[number]

/** A priority as an option. */
export const priorityOption = choice(priorities, { usual: 'normal' })
