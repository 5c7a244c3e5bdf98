/** The builds of libtorch that setup can fetch by name. */
export const variants = ['cpu', 'cu130'] as const

/** `cpu`, or `cu130` for CUDA 13.0. */
export type Variant = (typeof variants)[number]

/** The variant for a machine with a CUDA device. */
export const cudaVariant = 'cu130' satisfies Variant

/** A file whose content is known in advance. */
export interface Archive {
  readonly url: string
  readonly sha256: string
  /** Size in bytes, for a progress bar where the sender gives none. */
  readonly bytes: number
}

/** Where one variant of a release comes from. */
export interface Build {
  /** The official archive, where its checksum is known. */
  readonly archive?: Archive
  /** The project's own package index, which pip asks after the user's. It states a checksum for each file, which pip checks. */
  readonly index: string
}

/** One release of libtorch. */
export interface Release {
  readonly version: string
  readonly builds: Readonly<Record<Variant, Build>>
}

const wheelOfX64: Archive = {
  url: 'https://download.pytorch.org/whl/cpu/torch-2.13.0%2Bcpu-cp311-cp311-manylinux_2_28_x86_64.whl',
  sha256: '6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b',
  bytes: 191_794_682,
}

/**
 * The release that this package is developed and tested with.
 *
 * The archive is the release's wheel: a zip with the same libraries and headers as the C++ archive, and the one of the two
 * whose checksum we know, which is that for x64. No Python is run. There is no archive for arm64, where pip checks what its
 * index states, nor for CUDA, whose wheel does not hold CUDA's own libraries: pip finds those that belong to it.
 */
export const release: Release = {
  version: '2.13.0',
  builds: {
    cpu: {
      ...(process.arch === 'x64' && { archive: wheelOfX64 }),
      index: 'https://download.pytorch.org/whl/cpu',
    },
    cu130: { index: 'https://download.pytorch.org/whl/cu130' },
  },
}

/** The first and the last series whose headers the sources compile against. */
export const supported = { first: '2.11', last: '2.14' } as const

/** `2.13` of `2.13.0+cpu`: the C++ interface is the same within a series and changes between two. */
export function series(version: string): string {
  return version.split('.', 2).join('.')
}

/** Whether the sources compile against this version. */
export function isSupported(version: string): boolean {
  const key = (text: string): number => {
    const [major = 0, minor = 0] = text.split('.').map(Number)
    return major * 1000 + minor
  }
  const own = key(series(version))
  return own >= key(supported.first) && own <= key(supported.last)
}
