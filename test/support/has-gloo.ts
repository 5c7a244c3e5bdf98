import { addonPaths } from '../../lib/addon/addon.ts'

/** Whether the addon here has its part for several processes, which needs libgloo-dev where it is compiled. */
export const hasGloo = addonPaths().glooPart !== undefined

if (!hasGloo)
  console.warn('Skipped: tests of several processes, for the addon was built without diffsal_gloo.so (apt-get install libgloo-dev, npm run build:native).')
