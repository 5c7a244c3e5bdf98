import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'

const machines: Readonly<Record<number, string>> = { 3: 'ia32', 40: 'arm', 62: 'x64', 183: 'arm64', 243: 'riscv64' }

/**
 * What is wrong with a shared library as far as its headers tell, `undefined` where nothing is. Opening one that is cut short ends the
 * process by SIGBUS, so it has to be seen before.
 */
export function libraryFault(path: string): string | undefined {
  try {
    return headersFault(path)
  } catch (error) {
    return `it cannot be read (${(error as Error).message})`
  }
}

function headersFault(path: string): string | undefined {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const header = readAt(file, 0, 64)
    // 64 bits, little-endian: what the machines are that this package runs on.
    if (header.length < 64 || header.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return 'it is no shared library of a 64-bit Linux'
    const machine = header.readUInt16LE(18)
    if (machines[machine] !== process.arch) return `it is for ${machines[machine] ?? `machine ${machine}`}, and this is ${process.arch}`
    const table = (at: number, place: number) => ({
      at: Number(header.readBigUInt64LE(at)),
      entry: header.readUInt16LE(place),
      count: header.readUInt16LE(place + 2),
    })
    const [segments, sections] = [table(32, 54), table(40, 58)]
    const ends = [segments, sections].map(({ at, entry, count }) => at + entry * count)
    const cut = (): string | undefined => {
      const whole = Math.max(...ends)
      return whole > size ? `it is cut short, ${size} bytes of at least ${whole}` : undefined
    }
    // A table outside of the file is not looked into: a damaged header may say any place and length.
    if (cut() !== undefined) return cut()
    const entries = readAt(file, segments.at, segments.entry * segments.count)
    for (let at = 0; at + 40 <= entries.length && segments.entry >= 40; at += segments.entry) {
      ends.push(Number(entries.readBigUInt64LE(at + 8) + entries.readBigUInt64LE(at + 32)))
    }
    return cut()
  } finally {
    closeSync(file)
  }
}

function readAt(file: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  return bytes.subarray(0, readSync(file, bytes, 0, length, position))
}

const ofLibtorch = /^lib(torch|torch_cpu|torch_cuda|c10|c10_cuda)\.so$/

/** Paths of libtorch's libraries that this process has opened and that are not those of `folder`. */
export function strayLibraries(folder: string): string[] {
  let maps: string
  try {
    maps = readFileSync('/proc/self/maps', 'utf8')
  } catch {
    return [] // a container without /proc
  }
  const opened = new Set([...maps.matchAll(/ (\/.*\.so)$/gm)].map((match) => match[1]!))
  return [...opened].filter((path) => ofLibtorch.test(basename(path)) && !isSame(path, join(folder, basename(path))))
}

/** The folder of a search path (`LD_LIBRARY_PATH`) in which the system finds libraries of libtorch before it comes to `folder`. */
export function strayFolder(searchPath: string | undefined, folder: string): string | undefined {
  const names = ['libtorch_cpu.so', 'libc10.so', 'libtorch.so']
  return searchPath?.split(/[:;]/).find((entry) => names.some((name) => isThere(join(entry, name)) && !isSame(join(entry, name), join(folder, name))))
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

function isSame(path: string, other: string): boolean {
  const [one, two] = [path, other].map((each) => statSync(each, { throwIfNoEntry: false }))
  return one !== undefined && two !== undefined && one.dev === two.dev && one.ino === two.ino
}
