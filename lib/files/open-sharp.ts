import type sharp from 'sharp'

/** sharp, which reads and writes pictures. It is loaded for the first of them, for that takes as long as to load the rest of the package. */
export async function openSharp(): Promise<typeof sharp> {
  return (await import('sharp')).default
}
