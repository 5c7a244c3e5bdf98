import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { onceARun } from '../support/once-a-run.ts'
import { temporaryPath } from '../support/temporary.ts'

const root = dirname(dirname(import.meta.dirname))

/** The package's declarations, made from the sources as they are now, and Node's, as they are installed. Some seconds' work. */
function installed(): string {
  return onceARun('declarations', (folder) => {
    const modules = join(folder, 'node_modules')
    mkdirSync(join(modules, 'diffsal'), { recursive: true })
    writeFileSync(join(modules, 'diffsal/package.json'), readFileSync(join(root, 'package.json')))
    for (const name of ['@types', 'undici-types']) symlinkSync(join(root, 'node_modules', name), join(modules, name))
    const { config } = ts.readConfigFile(join(root, 'tsconfig.build.json'), (path) => ts.sys.readFile(path)) as { config: object }
    const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
    const emitted = ts
      .createProgram(fileNames, { ...options, outDir: join(modules, 'diffsal/dist'), emitDeclarationOnly: true, sourceMap: false, noCheck: true })
      .emit()
    if (emitted.diagnostics.length > 0) throw new Error(messages(emitted.diagnostics).join('\n'))
  })
}

/** A folder of a user who has the package's declarations. */
export function projectFolder(): string {
  const folder = temporaryPath('user')
  if (existsSync(folder)) return folder
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
  symlinkSync(join(installed(), 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** What a strict compiler without `skipLibCheck`, with ES2022 and Node's types alone, says of a user's files. */
export function complaintsAbout(files: Readonly<Record<string, string>>, options: ts.CompilerOptions): string[] {
  const folder = projectFolder()
  const paths = Object.entries(files).map(([name, text]) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  })
  const program = ts.createProgram(paths, {
    ...{ strict: true, noEmit: true, skipLibCheck: false, types: ['node'], typeRoots: [join(folder, 'node_modules/@types')] },
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts'],
    ...options,
  })
  return messages(ts.getPreEmitDiagnostics(program))
}

/** As Node resolves. */
export const nodeNext: ts.CompilerOptions = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext }

/** As bundlers resolve. */
export const bundler: ts.CompilerOptions = { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }

function messages(diagnostics: readonly ts.Diagnostic[]): string[] {
  return diagnostics.map(({ messageText, file, start }) => {
    const place = file && `${file.fileName}:${file.getLineAndCharacterOfPosition(start ?? 0).line + 1}: `
    return `${place ?? ''}${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}
