import { existsSync } from 'node:fs'
import { compile } from './fake-addon.ts'
import { temporaryPath } from './temporary.ts'

/**
 * A library to preload (`LD_PRELOAD`) into a process whose disk shall fail. DISK_FAULT, read at each call, says what fails
 * for files whose name ends in `.tmp`: `write 28 5000` makes every write past 5000 bytes fail with error number 28 (what fits before is
 * written), `fsync 5` and `rename 13` make those calls fail (`rename 13 2` only the second), and `short 1000` lets a write take 1000 bytes at most.
 */
export function failingDisk(): string {
  const path = temporaryPath('failing-disk.so')
  if (!existsSync(path)) compile(path, source, ['-ldl'])
  return path
}

const source = `
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool fault(const char* call, long& first, long& second) {
  const char* text = getenv("DISK_FAULT");
  char name[16];
  first = second = 0;
  return text && sscanf(text, "%15s %ld %ld", name, &first, &second) >= 2 && !strcmp(name, call);
}

static bool temporary(const char* path) {
  size_t length = strlen(path);
  return length > 4 && !strcmp(path + length - 4, ".tmp");
}

static bool temporary(int file) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return false;
  path[length] = 0;
  return temporary(path);
}

template <typename Call>
static Call next(const char* name, Call) { return (Call)dlsym(RTLD_NEXT, name); }

extern "C" ssize_t write(int file, const void* data, size_t size) {
  auto real = next("write", &write);
  long a, b;
  if (fault("short", a, b) && temporary(file)) return real(file, data, size > (size_t)a ? (size_t)a : size);
  if (fault("write", a, b) && temporary(file)) {
    long room = b - lseek(file, 0, SEEK_CUR);
    if (room <= 0) { errno = (int)a; return -1; }
    return real(file, data, size > (size_t)room ? (size_t)room : size);
  }
  return real(file, data, size);
}

extern "C" int fsync(int file) {
  long a, b;
  if (fault("fsync", a, b) && temporary(file)) { errno = (int)a; return -1; }
  return next("fsync", &fsync)(file);
}

extern "C" int rename(const char* from, const char* to) {
  long a, b;
  static long renames = 0;
  if (fault("rename", a, b) && temporary(from) && (b == 0 || ++renames == b)) { errno = (int)a; return -1; }
  return next("rename", &rename)(from, to);
}
`
