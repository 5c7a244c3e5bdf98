import { Application, Logger, LogLevel, ReflectionKind, TSConfigReader, TypeDocReader, type ProjectReflection } from 'typedoc'
import { expect, test } from 'vitest'

class Listener extends Logger {
  readonly complaints: string[] = []

  override log(message: string, level: LogLevel): void {
    if (level >= LogLevel.Warn) this.complaints.push(message)
  }
}

/** What typedoc finds wrong with the reference, and what it would hold. */
async function reference(options: string): Promise<{ complaints: readonly string[]; project: ProjectReflection }> {
  const app = await Application.bootstrap({ options, skipErrorChecking: true }, [new TypeDocReader(), new TSConfigReader()])
  const logger = new Listener()
  app.logger = logger
  const project = await app.convert()
  if (project === undefined) throw new Error(logger.complaints.join('\n'))
  app.validate(project)
  return { complaints: logger.complaints, project }
}

/** Who passes these says what they are; there is nothing instead. */
const withoutDefault = ['signal', 'onProgress', 'fixations']

/** Options whose comments do not say what happens where they are left out. */
function optionsWithoutDefault(project: ProjectReflection): string[] {
  return project.getReflectionsByKind(ReflectionKind.Interface).flatMap((one) =>
    one.isDeclaration() && one.name.endsWith('Options')
      ? (one.children ?? [])
          .filter(({ name, flags }) => flags.isOptional && !withoutDefault.includes(name))
          .filter(({ comment }) => !comment?.summary.some(({ text }) => /default|needed/i.test(text)))
          .map(({ name }) => `${one.name}.${name}`)
      : [],
  )
}

test('everything that is exported is documented, with its defaults', async () => {
  const { complaints, project } = await reference('typedoc.json')
  expect(complaints).toEqual([])
  expect(optionsWithoutDefault(project)).toEqual([])
  const names = project.getReflectionsByKind(ReflectionKind.All).map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(['DiffSal', 'predictVideo', 'FitOptions', 'openDataset', 'aucJudd']))
})

test('a missing comment, a hidden type, a broken link and a missing default are found', async () => {
  const { complaints, project } = await reference('test/docs/typedoc.json')
  expect(complaints).toHaveLength(3)
  expect(complaints).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^Hidden, .*is referenced by linked\.hidden but not included in the documentation/),
      expect.stringMatching(/^silent \(Variable\).* does not have any documentation/),
      expect.stringMatching(/Failed to resolve link to "nowhere"/),
    ]),
  )
  expect(optionsWithoutDefault(project)).toEqual(['IdleOptions.times'])
})
