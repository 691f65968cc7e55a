/* confine: a process that works on a stranger's file may do only that. Cages, by seccomp; what is refused fails with EPERM.
 * FG_CAGE_DECODE: descriptors that are open already, memory, time. FG_CAGE_PROGRAM: also programs and files, for reading alone. Neither has a
 * network, other processes, or a way to write but by an open descriptor.
 * FG_CAGE_SERVE and FG_CAGE_MAKE are for programs of ours that read strangers' pictures beside other work, and cost nothing: neither makes a connection
 * or reaches into another process or the kernel's rarer doors; FG_CAGE_SERVE starts no program either. Their files stay open to them. */
#ifndef FG_FARM_CONFINE_H
#define FG_FARM_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

enum fg_cage { FG_CAGE_DECODE, FG_CAGE_PROGRAM, FG_CAGE_SERVE, FG_CAGE_MAKE };

/** Limits of this process and its children: no core, memory, processor time, largest file. */
void fg_confine_limits(int64_t memory_bytes, int64_t cpu_s, int64_t file_bytes);

/** No way back. False when the kernel can't; then nothing may be decoded. */
bool fg_confine(enum fg_cage cage);

#endif
