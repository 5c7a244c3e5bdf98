import { checkList, checkString, nearest } from '../checks/options.ts'
import { later, number, readNested, yes, type OptionTable } from '../checks/table.ts'
import { invalidArgument, invalidArgumentText } from '../errors.ts'

/** Parameters that are trained another way than the rest. */
export interface ParameterGroup {
  /** Which: beginnings of names (`decoder_net.`), or, with `*` for any text, whole names (`*.bias`). Needed. */
  names: readonly string[]
  /** What the learning rate is multiplied by, whatever the schedule makes of it. Default 1. */
  lrScale?: number | undefined
  /** How fast these weights shrink towards 0, as of the trainer. Default: the trainer's. */
  weightDecay?: number | undefined
  /** Whether they stay as they are, as what the trainer's own `frozen` names. Default false. */
  frozen?: boolean | undefined
}

/** A complete, checked group. */
export interface ResolvedParameterGroup {
  /** Beginnings of names, or, with `*` for any text, whole names. */
  names: string[]
  /** What the learning rate is multiplied by. */
  lrScale: number
  /** How fast these weights shrink towards 0. */
  weightDecay: number
  /** Whether they stay as they are. */
  frozen: boolean
}

/** What there is to know of {@link ParameterGroup}. */
export const groupTable = {
  names: { ...later<readonly string[]>(), needed: true },
  lrScale: number(0, 1e6, { usual: 1 }),
  weightDecay: number(0, 1e3),
  frozen: yes({ usual: false }),
} satisfies OptionTable<ParameterGroup>

/** Whether a parameter is meant: by the beginning of its name, or by a pattern of the whole one, in which `*` is any text. */
export function isMeant(pattern: string, name: string): boolean {
  if (!pattern.includes('*')) return name.startsWith(pattern)
  const [first, ...rest] = pattern.split('*') as [string, ...string[]]
  const last = rest.pop()!
  if (!name.startsWith(first) || name.length < first.length + last.length || !name.endsWith(last)) return false
  // The earliest place of each part between is as good as any other.
  let at = first.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= name.length - last.length
}

/** Patterns of which each means a parameter: one that means none is a spelling mistake. */
export function checkPatterns(argument: string, given: unknown, parameters: readonly string[], least = 0): string[] {
  const patterns = checkList(argument, given, "a list of beginnings or patterns of parameters' names", least).map((one, i) =>
    checkString(`${argument}[${i}]`, one),
  )
  patterns.forEach((pattern, i) => {
    if (parameters.some((name) => isMeant(pattern, name))) return
    const parts = parameters.flatMap((name) => name.split('.').map((_, j, words) => words.slice(0, j + 1).join('.')))
    const near = nearest(pattern, [...new Set(parts)])
    throw invalidArgument(
      `${argument}[${i}]`,
      `the beginning of a parameter's name, or a pattern of one${near === undefined ? '' : ` (did you mean '${near}'?)`}`,
      pattern,
    )
  })
  return patterns
}

/**
 * Checks groups and fills in what they leave out. A parameter that several mean belongs to the first; a group that would change nothing is refused,
 * for its parameters are an earlier one's or `frozen`.
 */
export function resolveGroups(given: unknown, { weightDecay, frozen, parameters }: GroupFacts): ResolvedParameterGroup[] {
  const taken = new Set(parameters.filter((name) => frozen.some((pattern) => isMeant(pattern, name))))
  return checkList('groups', given, 'a list of groups of parameters').map((one, i) => {
    const argument = `groups[${i}]`
    if (one === undefined) throw invalidArgument(argument, 'a group of parameters', one)
    const options = readNested<ParameterGroup, typeof groupTable>(argument, one as ParameterGroup, groupTable)
    const names = checkPatterns(`${argument}.names`, options.names, parameters, 1)
    const members = parameters.filter((name) => !taken.has(name) && names.some((pattern) => isMeant(pattern, name)))
    if (members.length === 0) throw invalidArgumentText(`${argument}.names`, "some that neither 'frozen' nor a group before it has", 'only such ones')
    for (const name of members) taken.add(name)
    return { names, lrScale: options.lrScale, weightDecay: options.weightDecay ?? weightDecay, frozen: options.frozen }
  })
}

/** What groups depend on. */
interface GroupFacts {
  readonly weightDecay: number
  readonly frozen: readonly string[]
  readonly parameters: readonly string[]
}

/** The parameters of each group, and of those which are frozen, by whole names. */
export function membersOf(
  { groups, frozen }: { readonly groups: readonly ResolvedParameterGroup[]; readonly frozen: readonly string[] },
  parameters: readonly string[],
): { groups: { names: string[]; lrScale: number; weightDecay: number }[]; frozen: string[] } {
  const members = groups.map(() => [] as string[])
  const still: string[] = []
  for (const name of parameters) {
    const at = groups.findIndex(({ names }) => names.some((pattern) => isMeant(pattern, name)))
    const stays = frozen.some((pattern) => isMeant(pattern, name)) || (at >= 0 && groups[at]!.frozen)
    if (stays) still.push(name)
    else if (at >= 0) members[at]!.push(name)
  }
  return { groups: groups.map(({ lrScale, weightDecay }, i) => ({ names: members[i]!, lrScale, weightDecay })), frozen: still }
}
