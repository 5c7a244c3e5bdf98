import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { beforeAll, describe, expect, it } from 'vitest'
import { presets } from '../../lib/index.ts'
import { install, run } from '../support/installed.ts'
import { npmEnvironment, packWithPrebuilds } from '../support/packed.ts'

// The installed package in what else runs or bundles JavaScript, as docs/runtimes.md tells. The tools come from npm's registry.

const tools = ['deno@2.9.6', 'bun@1.4.5', 'esbuild@0.28.2', 'webpack@5.113.0', 'webpack-cli@6.0.1', 'next@16.4.6', 'react@19', 'react-dom@19']
const clip = resolve('examples/scene.mp4')
/** Prints two maps of a video, which it leaves in its middle. */
const program = `import { DiffSal } from 'diffsal'
const main = async () => {
  const model = await DiffSal.load(undefined, { threads: 1 })
  const maps = []
  for await (const { frame, tensor } of model.predictVideo(${JSON.stringify(clip)}, { stride: 50, steps: 1, seed: 1 })) {
    maps.push([frame, tensor.shape, tensor.data.reduce((sum, value) => sum + value, 0)])
    if (maps.length === 2) break
  }
  await model.dispose()
  console.log(JSON.stringify(maps))
}
main().catch((error) => {
  console.log(JSON.stringify({ code: error.code, message: error.message }))
  process.exitCode = 1
})
`
const page = `import { DiffSal } from 'diffsal'
export const dynamic = 'force-dynamic'
export async function GET() {
  const model = await DiffSal.load(undefined, { threads: 1 })
  const { size } = model.config
  await model.dispose()
  return Response.json(size)
}
`

let folder: string
let expected: unknown
const tool = (name: string, args: readonly string[], env?: NodeJS.ProcessEnv) => run(folder, join('node_modules/.bin', name), args, env)

beforeAll(async () => {
  folder = await install('runtimes', packWithPrebuilds(), [], {}, tools)
  writeFileSync(join(folder, 'program.mjs'), program)
  expected = JSON.parse((await run(folder, process.execPath, ['program.mjs'])).stdout)
}, 600_000)

describe('the installed package', () => {
  it('predicts in Node', () => {
    expect(expected).toEqual([0, 50].map((frame) => [frame, [1, 1, ...presets.gaze.config.size], expect.any(Number)]))
  })

  it.each([
    ['deno', ['run', '-A', 'program.mjs']],
    ['bun', ['program.mjs']],
  ])('predicts the same maps in %s, and leaves a video in its middle', async (name, args) => {
    const { stdout } = await tool(name, args, { DENO_NO_UPDATE_CHECK: '1' })
    expect(JSON.parse(stdout)).toEqual(expected)
  })

  it('stays outside of what esbuild bundles', async () => {
    await tool('esbuild', ['program.mjs', '--bundle', '--platform=node', '--format=esm', '--external:diffsal', '--outfile=esbuild.mjs'])
    expect(JSON.parse((await run(folder, process.execPath, ['esbuild.mjs'])).stdout)).toEqual(expected)
  })

  it('says of a bundled copy how to leave it out', async () => {
    const args = ['program.mjs', '--bundle', '--platform=node', '--format=cjs', '--external:sharp', '--log-level=error', '--outfile=copied.cjs']
    await tool('esbuild', args)
    const failed = await run(folder, process.execPath, ['copied.cjs']).catch((error: Error) => error.message)
    expect(failed).toMatch(/ERR_DIFFSAL_ADDON_MISSING.*--external:diffsal/)
  })

  it('stays outside of what webpack bundles', async () => {
    const config = {
      mode: 'production',
      target: 'node20',
      entry: './program.mjs',
      experiments: { outputModule: true },
      output: { path: folder, filename: 'webpack.mjs', module: true },
      externalsType: 'module',
      externals: { diffsal: 'diffsal' },
    }
    writeFileSync(join(folder, 'webpack.config.mjs'), `export default ${JSON.stringify(config)}`)
    await tool('webpack', ['-c', 'webpack.config.mjs'])
    expect(readFileSync(join(folder, 'webpack.mjs'), 'utf8').length).toBeLessThan(2000)
    expect(JSON.parse((await run(folder, process.execPath, ['webpack.mjs'])).stdout)).toEqual(expected)
  })

  it('is built into a page by Next.js, and answers', async () => {
    mkdirSync(join(folder, 'app/api/size'), { recursive: true })
    writeFileSync(join(folder, 'app/layout.js'), 'export default function Layout({ children }) { return <html><body>{children}</body></html> }\n')
    writeFileSync(join(folder, 'app/page.js'), 'export default function Page() { return <p>size</p> }\n')
    writeFileSync(join(folder, 'app/api/size/route.js'), page)
    const env = { ...npmEnvironment(), NEXT_TELEMETRY_DISABLED: '1' }
    await tool('next', ['build'], env)
    // Port 0 is one that is free. In a group of its own, since the command starts another process.
    const server = spawn(join('node_modules/.bin', 'next'), ['start', '-p', '0'], { cwd: folder, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      let address: string | undefined
      for await (const line of createInterface(server.stdout)) {
        address ??= /http:\/\/localhost:\d+/.exec(line)?.[0]
        if (address !== undefined && /Ready/.test(line)) break
      }
      expect(await (await fetch(`${address}/api/size`)).json()).toEqual(presets.gaze.config.size)
    } finally {
      const gone = once(server, 'close')
      process.kill(-server.pid!, 'SIGKILL')
      await gone
    }
  }, 300_000)
})
