/* cgroup: a run's own cgroup (v2) below a folder that was delegated to us, with its cores and memory. */
#ifndef FG_LAUNCH_CGROUP_H
#define FG_LAUNCH_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

struct fg_cgroup {
	char path[768]; /**< "" when there is none */
};

/** Make ROOT/NAME with cpu.max and memory.max (0: no limit), and cpuset.cpus where offered. False when ROOT offers no cpu and memory controllers. */
bool fg_cgroup_make(struct fg_cgroup *out, const char *root, const char *name, int ncpu, const char *cores, int64_t memory_bytes);
bool fg_cgroup_enter(const struct fg_cgroup *cgroup);      /**< the calling process, and what it forks */
bool fg_cgroup_freeze(const struct fg_cgroup *cgroup, bool frozen);
bool fg_cgroup_kill(const struct fg_cgroup *cgroup);       /**< all in it, at once */
bool fg_cgroup_starved(const struct fg_cgroup *cgroup);    /**< did the kernel kill one of it for want of memory? */
void fg_cgroup_remove(const struct fg_cgroup *cgroup);

#endif
