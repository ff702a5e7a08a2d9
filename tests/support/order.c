/* Preloaded: logs to $ORDER_LOG what is brought to the disk, and which names it gets, in order. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void note(const char *what, const char *from, const char *to) {
  const char *path = getenv("ORDER_LOG");
  if (!path) return;
  char line[3 * PATH_MAX];
  int length = snprintf(line, sizeof line, "%s\t%s\t%s\n", what, from, to);
  int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0) return;
  if (write(log, line, length) != length) abort();
  close(log);
}

int fsync(int file) {
  static int (*next)(int);
  if (!next) next = dlsym(RTLD_NEXT, "fsync");
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  path[length < 0 ? 0 : length] = 0;
  int result = next(file);
  if (result == 0) note("sync", path, "");
  return result;
}

int rename(const char *from, const char *to) {
  static int (*next)(const char *, const char *);
  if (!next) next = dlsym(RTLD_NEXT, "rename");
  int result = next(from, to);
  if (result == 0) note("rename", from, to);
  return result;
}
