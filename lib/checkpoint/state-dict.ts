import { PickleError } from './pickle-bytes.ts'
import { TensorReference } from './torch-globals.ts'
import { shown } from './weights-file.ts'

/** Where training programs keep the weights in what they save. */
const names = ['state_dict', 'model_state_dict', 'model_state', 'model']

/** What they keep beside the weights, which may hold tensors as well. */
const others = /^(optim|sched|lr_|scaler|amp|ema|rng|random)|_(optim|optimizer|scheduler|scaler|rng)/i

const deepest = 8
const mostVisits = 2 ** 20

/**
 * The tensors of a loaded checkpoint, by name: those under `state_dict` or a name like it, else those at the top, but for what
 * belongs to an optimiser. Dicts in dicts have their names joined by dots. What is no tensor is left out.
 *
 * @throws PickleError when two tensors have one name, or there is no end of them
 */
export function findTensors(checkpoint: unknown): Map<string, TensorReference> {
  let found = checkpoint
  for (let depth = 0; depth < deepest && found instanceof Map; depth++) {
    const map: ReadonlyMap<unknown, unknown> = found
    const name = names.find((each) => map.get(each) instanceof Map)
    if (name === undefined) break
    found = map.get(name)
  }
  const tensors = new Map<string, TensorReference>()
  let visits = 0
  const collect = (value: unknown, name: string, depth: number): void => {
    if (++visits > mostVisits) throw new PickleError('its pickle has too many names', `at most ${mostVisits}`, 'more')
    if (value instanceof TensorReference) {
      if (tensors.has(name)) throw new PickleError(`it has two tensors named '${shown(name)}'`, 'each name once', 'two')
      tensors.set(name, value)
    } else if (value instanceof Map && depth < deepest) {
      for (const [key, item] of value as Map<unknown, unknown>) {
        if (typeof key !== 'string' || (depth === 0 && item instanceof Map && others.test(key))) continue
        collect(item, depth === 0 ? key : `${name}.${key}`, depth + 1)
      }
    }
  }
  collect(found, '', 0)
  return tensors
}
