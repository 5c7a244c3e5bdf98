import { ffmpeg } from './media.ts'
import { temporaryPath } from './temporary.ts'

const size = '320x180'

/** Scenes of 25 frames a second that look unlike each other. */
const scenes = {
  bars: `smptebars=s=${size}:r=25`,
  test: `testsrc2=s=${size}:r=25`,
  colours: `rgbtestsrc=s=${size}:r=25`,
} as const

/** What is in a clip: scenes, by their name, and how many frames of each. */
export type SceneList = readonly (readonly [scene: keyof typeof scenes, frames: number, filters?: string])[]

/** What the clip at each path was made of last. */
const made = new Map<string, string>()

/** Makes a clip of scenes one after the other, with filters over each; lossless. One that was made before is taken as it is. Gives its path. */
export async function sceneClip(name: string, list: SceneList, extra: readonly string[] = []): Promise<string> {
  const path = temporaryPath(name)
  const parts = JSON.stringify([list, extra])
  if (made.get(path) === parts) return path
  await write(path, list, extra)
  made.set(path, parts)
  return path
}

async function write(path: string, list: SceneList, extra: readonly string[]): Promise<void> {
  const inputs = list.flatMap(([scene]) => ['-f', 'lavfi', '-i', scenes[scene]])
  const parts = list.map(
    ([, frames, filters], i) => `[${i}:v]trim=end_frame=${frames}${filters === undefined ? '' : `,${filters}`},setsar=1,format=yuv420p[p${i}]`,
  )
  const joined = `${list.map((_, i) => `[p${i}]`).join('')}concat=n=${list.length}[out]`
  await ffmpeg(
    ...inputs,
    ...extra,
    '-filter_complex',
    [...parts, joined].join(';'),
    '-map',
    '[out]',
    ...(extra.length > 0 ? ['-map', `${list.length}:a`] : []),
    '-c:v',
    'libx264',
    '-qp',
    '0',
    '-preset',
    'ultrafast',
    '-r',
    '25',
    path,
  )
}
