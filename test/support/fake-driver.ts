import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a fake driver says; what is left out is a driver for CUDA 13.0 without devices. */
export interface FakeDriver {
  /** 12040 for CUDA 12.4. */
  readonly version?: number
  /** What cuInit gives. */
  readonly init?: 'CUDA_ERROR_NO_DEVICE' | 'CUDA_ERROR_SYSTEM_DRIVER_MISMATCH'
  readonly devices?: readonly { name: string; capability: string; total: number; free?: number }[]
}

const codes = { CUDA_ERROR_NO_DEVICE: 100, CUDA_ERROR_SYSTEM_DRIVER_MISMATCH: 803 }

/** Makes NVIDIA's two libraries in `folder`, saying what {@link driverEnv}'s variables say; none of them needs a device. */
export function makeDriver(folder: string): string {
  mkdirSync(folder, { recursive: true })
  for (const [name, source] of [
    ['libcuda.so.1', cuda],
    ['libnvidia-ml.so.1', nvml],
  ] as const) {
    const code = join(folder, `${name}.cpp`)
    writeFileSync(code, common + source)
    execFileSync('g++', ['-std=c++20', '-shared', '-fPIC', '-o', join(folder, name), code])
  }
  return folder
}

/** A folder with a libcuda.so.1 that cannot be opened: as good as none, also on a machine that has a driver. */
export function makeNoDriver(folder: string): string {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'libcuda.so.1'), '')
  return folder
}

/** The variables of a process that shall find the driver made in `folder`. */
export function driverEnv(folder: string, { version = 13000, init, devices = [] }: FakeDriver = {}): Record<string, string> {
  return {
    LD_LIBRARY_PATH: folder,
    FAKE_CUDA_VERSION: String(version),
    FAKE_CUDA_INIT: String(init === undefined ? 0 : codes[init]),
    FAKE_CUDA_DEVICES: devices.map(({ name, capability, total, free = 0 }) => [name, ...capability.split('.'), total, free].join('|')).join('\n'),
  }
}

/** One that a test may have. */
export const h200 = { name: 'NVIDIA H200', capability: '9.0', total: 150_000_000_000, free: 120_000_000_000 }

const common = `
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>
struct Device { std::string name; int major, minor; unsigned long long total, free; };
static std::vector<Device> devices() {
  std::vector<Device> list;
  std::stringstream lines(getenv("FAKE_CUDA_DEVICES"));
  for (std::string line; std::getline(lines, line);) {
    std::stringstream fields(line);
    std::vector<std::string> words;
    for (std::string word; std::getline(fields, word, '|');) words.push_back(word);
    list.push_back({words[0], std::stoi(words[1]), std::stoi(words[2]), std::stoull(words[3]), std::stoull(words[4])});
  }
  return list;
}
`

const cuda = `
static int number(const char* name) { return atoi(getenv(name)); }
static bool started = false;
extern "C" int cuDriverGetVersion(int* version) { *version = number("FAKE_CUDA_VERSION"); return 0; }
extern "C" int cuInit(unsigned) { int result = number("FAKE_CUDA_INIT"); started = result == 0; return result; }
extern "C" int cuGetErrorName(int error, const char** name) {
  *name = error == 100 ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH";
  return 0;
}
extern "C" int cuDeviceGetCount(int* count) { *count = static_cast<int>(devices().size()); return started ? 0 : 3; }
extern "C" int cuDeviceGet(int* device, int index) { *device = index; return 0; }
extern "C" int cuDeviceGetName(char* text, int size, int device) { snprintf(text, size, "%s", devices()[device].name.c_str()); return 0; }
extern "C" int cuDeviceTotalMem_v2(size_t* total, int device) { *total = devices()[device].total; return 0; }
extern "C" int cuDeviceGetAttribute(int* value, int attribute, int device) {
  *value = attribute == 75 ? devices()[device].major : devices()[device].minor;
  return attribute == 75 || attribute == 76 ? 0 : 1;
}
extern "C" int cuDeviceGetPCIBusId(char* text, int size, int device) { snprintf(text, size, "0000:%02x:00.0", device + 1); return 0; }
`

const nvml = `
static bool started = false;
extern "C" int nvmlInit_v2() { started = true; return 0; }
extern "C" int nvmlDeviceGetHandleByPciBusId_v2(const char* address, void** handle) {
  static int handles[64];
  unsigned bus = 0;
  sscanf(address, "0000:%x", &bus);
  *handle = &handles[bus];
  handles[bus] = static_cast<int>(bus) - 1;
  return started ? 0 : 1;
}
struct Memory { unsigned long long total, free, used; };
extern "C" int nvmlDeviceGetMemoryInfo(void* handle, Memory* memory) {
  auto device = devices()[*static_cast<int*>(handle)];
  *memory = {device.total, device.free, device.total - device.free};
  return device.free == 0 ? 3 : 0;
}
`
