import { execFileSync, spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import { chmod, lstat, mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readHeader } from '../lib/checkpoint/safetensors.ts'
import { DiffSal, type PartialDiffSalConfig } from '../lib/index.ts'
import { expectClose } from './support/expect-close.ts'
import { expectDiffSalError } from './support/expect-error.ts'
import { failingDisk } from './support/failing-disk.ts'
import { rewriteWeights } from './support/rewrite-weights.ts'
import { expectEnd, runProgram } from './support/run-program.ts'
import { temporaryPath } from './support/temporary.ts'
import { lightConfig } from './support/tiny-config.ts'
import { tinyInputs } from './support/tiny-inputs.ts'

const { frames, mel, noise } = tinyInputs()

let model: DiffSal
let count = 0

beforeAll(async () => {
  model = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
})
afterAll(() => model?.dispose())

/** A path in an empty folder of its own. */
async function freshPath(): Promise<string> {
  const folder = temporaryPath(`save-${count++}`)
  await mkdir(folder)
  return join(folder, 'model.safetensors')
}

const files = (path: string) => readdir(dirname(path))

describe('save', () => {
  it('and load give the same weights, bit for bit', async () => {
    const path = await freshPath()
    await model.save(path)
    await using loaded = await DiffSal.load(path, { threads: 1 })
    expect(loaded.config).toEqual(model.config)
    expect(loaded.parameters()).toEqual(model.parameters())
    expectClose(await loaded.predict({ frames, mel }, { steps: 2, noise }), await model.predict({ frames, mel }, { steps: 2, noise }), 0)
    const again = await freshPath()
    await loaded.save(again)
    expect((await readFile(again)).equals(await readFile(path))).toBe(true)
  })

  it('writes all tensors by name, as F32 and in order, and the configuration', async () => {
    const path = await freshPath()
    await model.save(path)
    const { metadata, tensors, dataStart, fileSize } = await readHeader(path)
    expect([...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }))).toEqual(
      model.parameters().map(({ name, shape }) => ({ name, dtype: 'F32', shape })),
    )
    expect(Object.keys(metadata)).toEqual(['diffsal', 'diffsal_crc32'])
    expect(JSON.parse(metadata.diffsal!)).toEqual(model.config)
    expect(fileSize - dataStart).toBe(model.memory().parameters)
  })

  it('sweeps what a save left whose process was killed; what a living process writes stays', async () => {
    const path = await freshPath()
    const { signal } = await runProgram('save-killed.mjs', [path])
    expect(signal).toBe('SIGKILL')
    const left = await files(path)
    expect(left).toEqual([expect.stringMatching(/^\.diffsal-.*\.tmp$/)])
    const living = left[0]!.replace(/-\d+-/, `-${process.pid}-`)
    await writeFile(join(dirname(path), living), 'x')
    await model.save(path)
    expect((await files(path)).sort()).toEqual([living, 'model.safetensors'])
  })

  it('through a symbolic link writes what it leads to, there already or not', async () => {
    const path = await freshPath()
    const folder = join(dirname(path), 'there')
    await mkdir(folder)
    await symlink('there/first', path)
    await symlink(join(folder, 'second'), join(folder, 'first'))
    for (const round of [1, 2]) {
      await model.save(path)
      expect([(await files(path)).sort(), await readlink(path), (await readdir(folder)).sort()], `${round}`).toEqual([
        ['model.safetensors', 'there'],
        'there/first',
        ['first', 'second'],
      ])
    }
    expect((await lstat(join(folder, 'second'))).isFile()).toBe(true)
    const circle = await freshPath()
    await symlink(basename(circle), circle)
    await expectDiffSalError(() => model.save(circle), 'ERR_DIFFSAL_FILE', circle)
  })

  it('aligns the data, so that it can be used where it is mapped', async () => {
    const path = await freshPath()
    await model.save(path)
    expect((await readHeader(path)).dataStart % 64).toBe(0)
  })

  it('replaces a file, also the one that the model is mapped from', async () => {
    const path = await freshPath()
    await writeFile(path, 'something else')
    await model.save(path)
    const bytes = await readFile(path)
    await using loaded = await DiffSal.load(path, { threads: 1 })
    const map = await loaded.predict({ frames, mel }, { steps: 1, noise })
    await loaded.save(path)
    expect((await readFile(path)).equals(bytes)).toBe(true)
    expectClose(await loaded.predict({ frames, mel }, { steps: 1, noise }), map, 0)
    expect(await files(path)).toEqual(['model.safetensors'])
  })

  it('takes a relative path, and names of any letters', async () => {
    const path = join(dirname(await freshPath()), 'modèle 模型 😀.safetensors')
    await model.save(relative(process.cwd(), path))
    expect(await files(path)).toEqual([basename(path)])
    await (await DiffSal.load(relative(process.cwd(), path), { threads: 1 })).dispose()
  })

  it('may run twice at once, and while the model predicts', async () => {
    const path = await freshPath()
    const golden = await model.predict({ frames, mel }, { steps: 2, noise })
    const [map] = await Promise.all([
      model.predict({ frames, mel }, { steps: 2, noise }),
      model.save(path),
      model.save(path),
      model.save(`${path}-other`),
      model.predict({ frames, mel }, { steps: 1 }),
    ])
    expectClose(map, golden, 0)
    expect((await readFile(path)).equals(await readFile(`${path}-other`))).toBe(true)
    expect(await files(path)).toHaveLength(2)
  })

  it('gives a file the permissions that any new file has', async () => {
    const path = await freshPath()
    await Promise.all([model.save(path), writeFile(`${path}-other`, '')])
    expect((await stat(path)).mode).toBe((await stat(`${path}-other`)).mode)
  })
})

describe('a save that was aborted', () => {
  it.each(['before', 'at once', 'meanwhile'])('leaves the old file and nothing else: %s', async (when) => {
    const path = await freshPath()
    await writeFile(path, 'old')
    const controller = new AbortController()
    if (when === 'before') controller.abort('enough')
    // Something runs before it, so that it has not begun.
    const busy = when === 'at once' ? model.predict({ frames, mel }, { steps: 3 }) : undefined
    const saving = model.save(path, { signal: controller.signal }).then(
      () => 'saved',
      (reason: unknown) => reason,
    )
    if (when === 'meanwhile') setTimeout(() => controller.abort('enough'), 1)
    else controller.abort('enough')
    const end = await saving
    await busy
    // The model is free once its thread has dropped the save.
    await model.predict({ frames, mel }, { steps: 1 })
    expect(await files(path)).toEqual(['model.safetensors'])
    if (when !== 'meanwhile') expect(end).toBe('enough')
    if (end !== 'saved' && when !== 'meanwhile') expect(await readFile(path, 'utf8')).toBe('old')
  })
})

describe('a save that cannot be', () => {
  const refused = async (path: string, ...parts: (string | RegExp)[]) => {
    const error = await expectDiffSalError(() => model.save(path), 'ERR_DIFFSAL_FILE', `Cannot write '${path}'`, ...parts)
    expect(error.argument).toBe(path)
  }

  it('names a directory, and leaves it as it was', async () => {
    const path = await freshPath()
    await mkdir(path)
    await refused(path, /directory/i)
    await refused(`${path}/`, /directory/i)
    expect(await files(path)).toEqual(['model.safetensors'])
    expect(await readdir(path)).toEqual([])
  })

  it('names what is no file, and does not put one in its place', async () => {
    const path = await freshPath()
    const pipe = `${path}-pipe`
    execFileSync('mkfifo', [pipe])
    await symlink(pipe, path)
    await refused(path, /not a regular file/)
    await refused(pipe, /not a regular file/)
    const trainer = model.trainer()
    await expectDiffSalError(() => trainer.save(path), 'ERR_DIFFSAL_FILE', `Cannot write '${path}': it is not a regular file`)
    await trainer.dispose()
    expect((await stat(pipe)).isFIFO()).toBe(true)
    expect(await files(path)).toHaveLength(2)
  })

  it('names a folder that is not there, or is a file', async () => {
    const path = await freshPath()
    await writeFile(path, 'a file')
    await refused(join(dirname(path), 'absent', 'model.safetensors'), /No such file|does not exist/)
    await refused(join(path, 'model.safetensors'), /not a directory/i)
    expect(await files(path)).toEqual(['model.safetensors'])
  })

  it('names a folder that may not be written to', async () => {
    const path = await freshPath()
    const [parent, folder] = [dirname(dirname(path)), dirname(path)]
    await writeFile(path, 'old')
    await Promise.all([chmod(parent, 0o755), chmod(folder, 0o555)])
    // Root may write anywhere, so it is not root for a while.
    const user = process.getuid!()
    if (user === 0) process.seteuid!(65534)
    try {
      await refused(path, /permission/i)
    } finally {
      if (user === 0) process.seteuid!(0)
      await chmod(folder, 0o755)
    }
    expect(await files(path)).toEqual(['model.safetensors'])
    expect(await readFile(path, 'utf8')).toBe('old')
  })

  it('names a path that is no path', async () => {
    for (const path of ['', undefined, null, 5, 'a\0b', new URL('file:///model')])
      await expectDiffSalError(() => model.save(path as string), 'ERR_DIFFSAL_INVALID_ARGUMENT', "'path'", 'string')
  })
})

describe('a disk that fails', () => {
  const { ENOSPC, EDQUOT, EIO, EACCES } = constants.errno

  it('leaves the old file and nothing else, and is named', async () => {
    const path = await freshPath()
    await writeFile(path, 'old')
    const faults = [
      `write ${ENOSPC} 0`,
      `write ${ENOSPC} 300000`,
      `write ${EDQUOT} 40000000`,
      `fsync ${ENOSPC}`,
      `write ${EIO} 300000`,
      `fsync ${EIO}`,
      `rename ${EACCES}`,
    ]
    const ended = await runProgram('save.mjs', [path, ...faults], { env: { LD_PRELOAD: failingDisk() } })
    expectEnd(ended, 0)
    const answers = JSON.parse(ended.stdout) as { code: string; message: string; argument: string; files: string[] }[]
    expect(answers).toHaveLength(faults.length)
    for (const [i, { code, message, argument, files: left }] of answers.entries()) {
      const full = i < 4
      expect({ fault: faults[i], code, argument, left }).toEqual({
        fault: faults[i],
        code: full ? 'ERR_DIFFSAL_NO_SPACE' : 'ERR_DIFFSAL_FILE',
        argument: path,
        left: ['model.safetensors'],
      })
      expect(message).toMatch(full ? /disk is full.*free some space/ : /Cannot write .*(Input\/output|Permission)/)
    }
    expect(await readFile(path, 'utf8')).toBe('old')
  })

  it('that takes little at a time still gets the whole file', async () => {
    const [path, golden] = [await freshPath(), await freshPath()]
    const env = { LD_PRELOAD: failingDisk() }
    const [short, whole] = await Promise.all([runProgram('save.mjs', [path, 'short 10007'], { env }), runProgram('save.mjs', [golden, 'none'])])
    for (const ended of [short, whole]) {
      expectEnd(ended, 0)
      expect(JSON.parse(ended.stdout)).toEqual([{ saved: true, files: ['model.safetensors'] }])
    }
    expect((await readFile(path)).equals(await readFile(golden))).toBe(true)
  })

  const inTmpfs = (mount: string) => ['-c', `mount -t tmpfs -o size=20m none '${mount}' && exec "$@"`, 'sh']
  // A disk of one's own needs a user namespace, or a root who may mount.
  const namespace = [['-rm'], ['-m']].find((flags) => {
    const mount = temporaryPath('mount')
    const attempt = `mkdir -p '${mount}' && exec unshare ${flags.join(' ')} sh "$@"`
    return spawnSync('sh', ['-c', attempt, 'sh', ...inTmpfs(mount), 'true']).status === 0
  })
  if (namespace === undefined) console.log('skipped: a disk that is really full, because nothing can be mounted here')

  it.skipIf(namespace === undefined)('that is really full leaves nothing on it', async () => {
    const mount = dirname(await freshPath())
    const within = ['unshare', ...namespace!, 'sh', ...inTmpfs(mount)]
    const ended = await runProgram('save.mjs', [join(mount, 'model.safetensors'), 'none'], { within })
    expectEnd(ended, 0)
    expect(JSON.parse(ended.stdout)).toMatchObject([{ code: 'ERR_DIFFSAL_NO_SPACE', files: [] }])
  })
})

describe('create', () => {
  const weights = async (seed?: number) => {
    const path = await freshPath()
    await using created = await DiffSal.create(lightConfig, { threads: 1, ...(seed === undefined ? {} : { seed }) })
    await created.save(path)
    return readFile(path)
  }

  it('gives the same weights for a seed, and others for another or none', async () => {
    const first = await weights(1)
    expect((await weights(1)).equals(first)).toBe(true)
    for (const seed of [0, 2, 2 ** 31 + 1, 2 ** 32 - 1, undefined]) expect((await weights(seed)).equals(first)).toBe(false)
    expect((await weights()).equals(await weights())).toBe(false)
  })

  it("draws each parameter by its name alone: other sizes leave the others' as they are", async () => {
    const bytesOf = async (change: PartialDiffSalConfig, name: string) => {
      const path = await freshPath()
      await using created = await DiffSal.create({ ...lightConfig, ...change }, { seed: 1, threads: 1 })
      await created.save(path)
      const { begin, end } = (await readHeader(path)).tensors.get(name)!
      return (await readFile(path)).subarray(begin, end)
    }
    const name = 'decoder_net.conv_in.weight'
    const golden = await bytesOf({}, name)
    expect(golden.every((byte) => byte === 0)).toBe(false)
    expect((await bytesOf({ audio: false }, name)).equals(golden)).toBe(true)
    expect((await bytesOf({ unetWidth: 16 }, name)).equals(golden)).toBe(false)
  })
})

describe('float16 weights', () => {
  it.each([
    ['float16', 11],
    ['bfloat16', 8],
  ] as const)('%s take half the space, and load as the nearest values', async (dtype, bits) => {
    const path = await freshPath()
    await using created = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
    await created.save(path, { dtype })
    const numbers = (buffer: boolean) => created.parameters().reduce((sum, p) => sum + (p.buffer === buffer ? p.shape.reduce((a, b) => a * b, 1) : 0), 0)
    const { dataStart, fileSize } = await readHeader(path)
    expect(fileSize - dataStart).toBe(2 * numbers(false) + 4 * numbers(true))
    await using loaded = await DiffSal.load(path, { threads: 1 })
    for (const { name, buffer } of created.parameters()) {
      const [stored, before] = [await loaded.parameter(name), await created.parameter(name)]
      stored.data.forEach((value, i) => {
        const given = before.data[i]!
        const rounding = buffer ? 0 : Math.abs(given) * 2 ** -bits + 2 ** -25
        if (!(Math.abs(value - given) <= rounding)) expect(value, `${name}[${i}]`).toBe(given)
      })
    }
  })

  it('that would be infinite are refused, and nothing is written', async () => {
    const path = await freshPath()
    await using created = await DiffSal.create(lightConfig, { seed: 1, threads: 1 })
    await created.save(path)
    const name = 'decoder_net.conv_in.weight'
    const changed = await rewriteWeights(path, (tensors) => Buffer.from(tensors.get(name)!.bytes.buffer, tensors.get(name)!.bytes.byteOffset).writeFloatLE(1e6))
    await using large = await DiffSal.load(changed, { threads: 1 })
    const target = await freshPath()
    await expectDiffSalError(() => large.save(target, { dtype: 'float16' }), 'ERR_DIFFSAL_INVALID_ARGUMENT', name, 'dtype')
    expect(await files(target)).toEqual([])
    await large.save(target, { dtype: 'bfloat16' })
    await expectDiffSalError(() => large.save(target, { dtype: 'float8' as 'float16' }), 'ERR_DIFFSAL_INVALID_ARGUMENT', 'float16')
  })
})
