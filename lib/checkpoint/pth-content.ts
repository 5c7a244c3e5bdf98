import type { StorageReference } from './torch-globals.ts'

/** The bytes of a storage: from `begin` to `end` of the file, or of what was inflated from it. */
export interface StoredBytes {
  readonly begin: number
  readonly end: number
  readonly inflated?: Uint8Array
}

/** What a file holds, whichever its format. */
export interface PthContent {
  /** The pickled object. */
  readonly value: unknown
  /** Finds a storage. @throws DiffSalError ERR_DIFFSAL_CHECKPOINT */
  locate(storage: StorageReference): Promise<StoredBytes>
  /** Called once all storages that are needed were located. @throws DiffSalError ERR_DIFFSAL_CHECKPOINT */
  finish(): void
}
