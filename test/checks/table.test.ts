import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { integer, readOptions, yes, type Option } from '../../lib/checks/table.ts'
import { datasetTable } from '../../lib/datasets/dataset-options.ts'
import { gazeBaselinesTable } from '../../lib/datasets/gaze-baselines.ts'
import { halvesTable } from '../../lib/datasets/gaze-halves.ts'
import { gazeTable } from '../../lib/datasets/gaze-options.ts'
import { batchesTable } from '../../lib/datasets/prefetch.ts'
import { evaluateTable } from '../../lib/evaluate.ts'
import { readGazeTable } from '../../lib/gaze/read-gaze.ts'
import { boxTable } from '../../lib/maps/boxes.ts'
import { confidenceTable } from '../../lib/maps/confidence.ts'
import { peakTable } from '../../lib/maps/peaks.ts'
import { focalPointTable } from '../../lib/maps/points.ts'
import { bootstrapTable } from '../../lib/metrics/bootstrap.ts'
import { scoreTable } from '../../lib/metrics/score.ts'
import { videoTable } from '../../lib/predict-video.ts'
import { sceneTable } from '../../lib/scenes/options.ts'
import { earlyStopTable } from '../../lib/training/early-stop.ts'
import { groupTable } from '../../lib/training/groups.ts'
import { trainerTable } from '../../lib/training/options.ts'
import { expectDiffSalError } from '../support/expect-error.ts'

const table = { count: integer(1, 9, { usual: 2 }), epochs: { ...integer(1), needed: true }, quick: yes() }

describe('options that are read by their table', () => {
  it('have their defaults, are frozen, and nothing else', () => {
    const read = readOptions<{ count?: number; epochs: number; quick?: boolean }, typeof table>('options', { epochs: 3 }, table)
    expect({ ...read }).toEqual({ count: 2, epochs: 3 })
    expect(Object.isFrozen(read)).toBe(true)
  })

  it.each([
    [{ epochs: 1, count: 10 }, "'count' must be an integer from 1 to 9, but 10 came"],
    [{ count: 1 }, "'epochs' must be an integer of at least 1, but undefined came"],
    [{ epochs: 1, cuont: 1 }, "Did you mean 'count'?"],
    [{ epochs: 1, quick: 'yes' }, "'quick' must be true or false"],
  ])('%o is refused', async (given, message) => {
    await expectDiffSalError(() => readOptions('options', given as { epochs: number }, table as never), 'ERR_DIFFSAL_INVALID_ARGUMENT', message)
  })
})

/** The options of a table that another, which is part of it, does not have. */
function own(table: Readonly<Record<string, Option<unknown>>>, part: object): Readonly<Record<string, Option<unknown>>> {
  return Object.fromEntries(Object.entries(table).filter(([name]) => !(name in part)))
}

/** How comments write a value. */
function spellings(value: unknown): string[] {
  if (Array.isArray(value)) return value.length === 0 ? ['none'] : [JSON.stringify(value).replaceAll(',', ', ').replaceAll('"', "'")]
  if (typeof value === 'number') return [`${value}`, value.toExponential(), `1 / ${1 / value}`]
  return [`${value}`, `'${value}'`, `\`${value}`]
}

// A comment is what users read: it says the default that is used.
describe.each<[string, string, Readonly<Record<string, Option<unknown>>>]>([
  ['evaluate.ts', 'EvaluateOptions', evaluateTable()],
  ['predict-video.ts', 'PredictVideoOptions', videoTable],
  ['training/options.ts', 'TrainerOptions', trainerTable],
  ['datasets/dataset-options.ts', 'DatasetOptions', datasetTable(['train'])],
  ['datasets/gaze-options.ts', 'GazeOptions', own(gazeTable, datasetTable(['train']))],
  ['datasets/gaze-baselines.ts', 'GazeBaselinesOptions', gazeBaselinesTable],
  ['datasets/gaze-halves.ts', 'HalvesOptions', halvesTable],
  ['datasets/prefetch.ts', 'LoadBatchesOptions', batchesTable],
  ['gaze/read-gaze.ts', 'ReadGazeOptions', readGazeTable],
  ['maps/boxes.ts', 'BoxOptions', boxTable],
  ['maps/confidence.ts', 'ConfidenceOptions', confidenceTable],
  ['maps/peaks.ts', 'PeakOptions', peakTable],
  ['maps/points.ts', 'FocalPointOptions', focalPointTable],
  ['metrics/bootstrap.ts', 'BootstrapOptions', bootstrapTable],
  ['metrics/score.ts', 'ScoreOptions', scoreTable],
  ['scenes/options.ts', 'SceneOptions', sceneTable],
  ['training/early-stop.ts', 'EarlyStopOptions', earlyStopTable],
  ['training/groups.ts', 'ParameterGroup', groupTable],
])('in lib/%s the comments of %s', (file, name, declared) => {
  const source = readFileSync(join(import.meta.dirname, '../../lib', file), 'utf8')
  const body = source.slice(source.indexOf(`interface ${name} `)).split('\n}\n')[0]!
  it.each(Object.entries(declared).flatMap(([option, { usual }]) => (usual === undefined ? [] : [[option, usual] as const])))(
    'say the default of %s, %s',
    (option, usual) => {
      const comment = new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s*${option}\\?:`).exec(body)?.[1]
      const written = spellings(usual)
        .map((one) => one.replace(/[[\]]/g, '\\$&'))
        .join('|')
      expect(comment).toMatch(new RegExp(`Default:? (?:is )?(?:${written})(?!\\w)`))
    },
  )
})
