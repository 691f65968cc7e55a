/* confine: a process that works on a stranger's file may do only that. Two cages, by seccomp; what is refused fails with EPERM.
 * FG_CAGE_DECODE: descriptors that are open already, memory, time. FG_CAGE_PROGRAM: also programs and files, for reading alone. Neither has a
 * network, other processes, or a way to write but by an open descriptor. */
#ifndef FG_FARM_CONFINE_H
#define FG_FARM_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

enum fg_cage { FG_CAGE_DECODE, FG_CAGE_PROGRAM };

/** Limits of this process and its children: no core, memory, processor time, largest file. */
void fg_confine_limits(int64_t memory_bytes, int64_t cpu_s, int64_t file_bytes);

/** No way back. False when the kernel can't; then nothing may be decoded. */
bool fg_confine(enum fg_cage cage);

#endif
