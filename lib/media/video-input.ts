import { basename, extname } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { types } from 'node:util'
import { checkString } from '../checks/options.ts'
import { describe, invalidArgument, invalidArgumentText } from '../errors.ts'
import { bytesOf, bytesOfIterable, bytesOfWebStream, type ByteSource } from './byte-source.ts'

/**
 * A video (or a sound, or a still picture) as a program may have it:
 *
 * - a path, or a `file:` URL;
 * - an `http:` or `https:` address, as a URL or as text;
 * - its bytes: a Buffer or Uint8Array, a Blob or File;
 * - a stream of its bytes: a Readable, a web ReadableStream, anything that is iterated over asynchronously.
 *
 * What is no file is written to a temporary one first, which is removed in the end.
 */
export type VideoInput = string | URL | Uint8Array | Blob | Readable | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>

/** Where an input comes from. */
export type InputKind =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'address'; readonly url: URL; readonly name: string }
  | { readonly kind: 'bytes'; readonly name: string; readonly open: () => ByteSource }

/**
 * Tells what an input is. Nothing is opened yet.
 *
 * @throws DiffSalError ERR_DIFFSAL_INVALID_ARGUMENT for what is none
 */
export function kindOfInput(input: unknown): InputKind {
  if (typeof input === 'string') return kindOfText(input)
  const address = got(URL.prototype, 'href', input)
  if (typeof address === 'string') return kindOfUrl(new URL(address))
  if (types.isUint8Array(input)) return { kind: 'bytes', name: 'buffer', open: () => bytesOf(input) }
  if (isOf(Blob, 'size', input)) return { kind: 'bytes', name: 'blob', open: () => bytesOfWebStream(Blob.prototype.stream.call(input)) }
  if (isOf(ReadableStream, 'locked', input)) {
    if (input.locked) throw invalidArgumentText('input', 'a stream that nobody else reads', 'one that is locked')
    return { kind: 'bytes', name: 'stream', open: () => bytesOfWebStream(input) }
  }
  if (isIterable(input)) {
    const { destroyed } = input as { destroyed?: unknown }
    if (destroyed === true) throw invalidArgumentText('input', 'a stream that can still be read', 'one that was destroyed')
    return { kind: 'bytes', name: 'stream', open: () => bytesOfIterable(input) }
  }
  throw invalidArgument('input', 'a path, a URL, bytes (a Buffer, Uint8Array or Blob) or a stream of them', input)
}

function kindOfText(text: string): InputKind {
  checkString('input', text)
  if (!/^(https?|file):\/\//i.test(text)) return { kind: 'file', path: text }
  const url = URL.parse?.(text) ?? (URL.canParse(text) ? new URL(text) : null)
  if (url === null) throw invalidArgument('input', 'a path or an address', text)
  return kindOfUrl(url)
}

function kindOfUrl(url: URL): InputKind {
  if (url.protocol === 'http:' || url.protocol === 'https:') return { kind: 'address', url, name: addressName(url) }
  if (url.protocol !== 'file:') throw invalidArgumentText('input', 'an address of file:, http: or https:', describe(url.protocol))
  try {
    return { kind: 'file', path: checkString('input', fileURLToPath(url)) }
  } catch (cause) {
    throw invalidArgument('input', 'the file: URL of a file of this machine', url.href, cause)
  }
}

/** What to call what is made of an input, without an extension. */
export function titleOf(input: string): string {
  const found = kindOfInput(input)
  if (found.kind === 'bytes') return found.name
  const path = found.kind === 'file' ? found.path : found.url.pathname
  const name = basename(path, extname(path))
  return name === '' ? 'video' : name
}

/** An address as messages have it: without a password, or what stands in a query, which may be a secret too. */
function addressName({ origin, pathname, search }: URL): string {
  return `${origin}${pathname}${search === '' ? '' : '?…'}`
}

/** What an accessor of a class gives of a value; undefined where that is not one of the class, whatever it says. */
function got(prototype: object, property: string, value: unknown): unknown {
  try {
    return types.isProxy(value) ? undefined : Reflect.apply(Object.getOwnPropertyDescriptor(prototype, property)!.get!, value, [])
  } catch {
    return undefined
  }
}

function isOf<T>(type: { readonly prototype: T }, property: keyof T & string, value: unknown): value is T {
  return got(type.prototype as object, property, value) !== undefined
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  try {
    return typeof value === 'object' && value !== null && typeof (value as AsyncIterable<unknown>)[Symbol.asyncIterator] === 'function'
  } catch {
    return false
  }
}
