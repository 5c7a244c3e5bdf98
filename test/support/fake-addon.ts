import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { onceARun } from './once-a-run.ts'

const { include_dir: nodeApi } = createRequire(import.meta.url)('node-api-headers') as { include_dir: string }

/** A libtorch of two libraries that only know a number and a version, at `dir`; `inside`: what the libraries say, whatever the files do. */
export function makeLibtorch(dir: string, version = '2.13.0+cpu', inside = version): string {
  const lib = join(dir, 'lib')
  mkdirSync(lib, { recursive: true })
  writeFileSync(join(dir, 'version.py'), `__version__ = '${version}'\n`)
  compile(join(lib, 'libtorch_cpu.so'), `extern "C" int torch_number() { return 42; } extern "C" const char* torch_version() { return "${inside}"; }`, [
    '-Wl,-soname,libtorch_cpu.so',
  ])
  const link = ['-Wl,-soname,libtorch.so', '-Wl,--no-as-needed', `-L${lib}`, '-ltorch_cpu', '-Wl,-rpath,$ORIGIN']
  compile(join(lib, 'libtorch.so'), '', link)
  return dir
}

/**
 * The real loader, and beside it a core that needs the libtorch of `makeLibtorch` by its soname, in a package's build folder. The core
 * is for the CUDA that FAKE_TORCH_CUDA says (13000), none by default, and finds as many devices as FAKE_TORCH_DEVICES says.
 */
export function makeAddon(packageFolder: string, libtorch: string): string {
  const folder = join(packageFolder, 'build', 'Release')
  mkdirSync(folder, { recursive: true })
  const native = join(import.meta.dirname, '../../native')
  const sources = readdirSync(join(native, 'loader')).filter((name) => name.endsWith('.cpp'))
  const includes = sources.map((name) => `#include "${join(native, 'loader', name)}"\n`).join('')
  compile(join(folder, 'diffsal.node'), includes, [`-Wl,--version-script=${native}/exports.map`])
  compile(join(folder, 'diffsal_core.so'), core, [`-L${join(libtorch, 'lib')}`, '-ltorch_cpu'])
  return folder
}

/** Compiles `source` into the shared library `path`; the same for another test file, which takes seconds, only once a run. */
export function compile(path: string, source: string, link: readonly string[]): void {
  // Where a library is found when linking is not in the result.
  const options = link.filter((option) => !option.startsWith('-L'))
  const name = createHash('sha256')
    .update(JSON.stringify([source, options]))
    .digest('hex')
  const made = onceARun(name, (to) => {
    const code = `${to}.cpp`
    writeFileSync(code, source)
    execFileSync('g++', ['-std=c++20', '-shared', '-fPIC', `-I${nodeApi}`, '-o', to, code, ...link])
    rmSync(code)
  })
  copyFileSync(made, path)
}

const core = `
#include <node_api.h>
#include <cstdlib>
extern "C" int torch_number();
extern "C" const char* torch_version();
static napi_value nothing(napi_env, napi_callback_info) { return nullptr; }
static napi_value text(napi_env env, const char* value) {
  napi_value result;
  napi_create_string_utf8(env, value, NAPI_AUTO_LENGTH, &result);
  return result;
}
static napi_value variable(napi_env env, const char* name) {
  const char* value = std::getenv(name);
  napi_value number;
  napi_create_int32(env, value == nullptr ? 0 : std::atoi(value), &number);
  return number;
}
static napi_value libtorch(napi_env env, napi_callback_info) {
  napi_value result;
  napi_create_object(env, &result);
  napi_set_named_property(env, result, "version", text(env, "2.13.0"));
  napi_set_named_property(env, result, "cuda", variable(env, "FAKE_TORCH_CUDA"));
  return result;
}
static napi_value cuda_devices(napi_env env, napi_callback_info) { return variable(env, "FAKE_TORCH_DEVICES"); }
static napi_value open_cuda_part(napi_env env, napi_callback_info) {
  napi_throw_error(env, nullptr, "it is made up");
  return nullptr;
}
NAPI_MODULE_INIT() {
  napi_value number, function;
  napi_create_int32(env, torch_number(), &number);
  napi_set_named_property(env, exports, "number", number);
  napi_set_named_property(env, exports, "libtorchVersion", text(env, torch_version()));
  napi_create_function(env, "libtorch", NAPI_AUTO_LENGTH, libtorch, nullptr, &function);
  napi_set_named_property(env, exports, "libtorch", function);
  napi_create_function(env, "cudaDevices", NAPI_AUTO_LENGTH, cuda_devices, nullptr, &function);
  napi_set_named_property(env, exports, "cudaDevices", function);
  napi_create_function(env, "openCudaPart", NAPI_AUTO_LENGTH, open_cuda_part, nullptr, &function);
  napi_set_named_property(env, exports, "openCudaPart", function);
  const char* names[] = {"initialise", "stop"};
  for (const char* name : names) {
    napi_create_function(env, name, NAPI_AUTO_LENGTH, nothing, nullptr, &function);
    napi_set_named_property(env, exports, name, function);
  }
  return exports;
}
`
