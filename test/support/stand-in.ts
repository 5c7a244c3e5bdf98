import { createRequire } from 'node:module'
import { join } from 'node:path'
import { loadAddon } from '../../lib/addon/addon.ts'

/** test/stand-in/: an accelerator that computes on the CPU, and notes or refuses what CUDA would punish. */
export interface StandIn {
  /** The mistakes since the last call that were not refused where they were made. */
  takeMistakes(): string[]
  /** Since the last call, where the host waited for the device without saying so. */
  takeWaits(): string[]
  /** Makes one of its mistakes. */
  provoke(mistake: string): void
  /** Models that are opened on the CPU or here from now on have graphs, made-up ones: they run the work again, cannot be recorded, or have no memory left. */
  rehearseGraphs(how: 'rerun' | 'refuse' | 'exhausted' | 'none'): void
}

/** Its two devices. */
export const standInDevices = ['standin:0', 'standin:1'] as const

/** Its module, which needs libtorch in the process. */
export const standInPath = join(import.meta.dirname, '../../build/Release/stand_in.node')

/** Opens it beside libtorch. A model gets there through a mocked `lib/devices.ts`, for the package itself knows nothing of it. */
export function openStandIn(): StandIn {
  loadAddon()
  return createRequire(import.meta.url)(standInPath) as StandIn
}
