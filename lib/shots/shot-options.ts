import { number, readOptions, type Option, type OptionTable } from '../checks/table.ts'

/** What is a new shot. */
export interface ShotOptions {
  /** How much two frames must differ to be of two shots, 1 to 255 steps of brightness a pixel. Default 27. */
  threshold?: number | undefined
  /** A frame whose mean brightness is within so many steps of black or white is a fade's, 0 to 64. Default 12. */
  fade?: number | undefined
  /** What is shown for so many seconds at most, and is followed by what was before it, is a flash and no shot; 0 to 1. Default 0.1. */
  flash?: number | undefined
  /** How many seconds a dissolve from one shot into the next has at most, 0 to 5; 0: none is looked for. Default 2. */
  dissolve?: number | undefined
}

/** What there is to know of {@link ShotOptions}. */
export const shotTable = {
  threshold: number(1, 255, { usual: 27, help: 'how much two frames must differ to be of two shots, in steps of brightness a pixel' }),
  fade: number(0, 64, { usual: 12, help: 'a frame whose mean brightness is within so many steps of black or white is of a fade' }),
  flash: { ...number(0, 1, { usual: 0.1, help: 'what is shown for so long at most, and is followed by what was before, is no shot' }), form: '<seconds>' },
  dissolve: { ...number(0, 5, { usual: 2, help: 'how long a dissolve from one shot into the next is at most; 0 looks for none' }), form: '<seconds>' },
} satisfies OptionTable<ShotOptions>

/** An option that is true, false, or how to look for shots. */
export function shotsOption<U extends boolean>(more: { readonly usual: U; readonly help: string }) {
  const check = (argument: string, value: unknown): boolean | ShotOptions =>
    typeof value === 'boolean' ? value : readOptions<ShotOptions, typeof shotTable>(argument, value as ShotOptions, shotTable)
  return { ...more, check } satisfies Option<boolean | ShotOptions>
}
