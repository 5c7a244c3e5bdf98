import { writeFile } from 'node:fs/promises'
import { temporaryPath } from './temporary.ts'

let count = 0

/**
 * Writes a safetensors file whose header is whatever is asked: a value for JSON, or the text or bytes themselves. `data`
 * is that many zero bytes, or the bytes; `length` the header length to claim instead of the true one.
 */
export async function writeSafetensors(header: unknown, data: number | Uint8Array = 0, length?: bigint): Promise<string> {
  const text = header instanceof Uint8Array ? header : Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const prefix = Buffer.alloc(8)
  prefix.writeBigUInt64LE(length ?? BigInt(text.length))
  return writeBytes(Buffer.concat([prefix, text, typeof data === 'number' ? Buffer.alloc(data) : data]))
}

/** Writes a file of these bytes. */
export async function writeBytes(bytes: Uint8Array): Promise<string> {
  const path = temporaryPath(`${count++}.safetensors`)
  await writeFile(path, bytes)
  return path
}
