/* tree: the processes of a run. Its farmgate-run is their subreaper: whatever they fork, also into sessions of their own, stays below it. */
#ifndef FG_LAUNCH_TREE_H
#define FG_LAUNCH_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** What /proc says of a process. start: clock ticks since boot; with the pid it names one process for ever. */
struct fg_process {
	pid_t    pid, parent, session;
	uint64_t start;
	char     state;
};

bool fg_process_get(struct fg_process *out, pid_t pid); /**< false: no such process */

/** A descriptor for signals and for waiting, of exactly that process; -1 when it is gone or another one has its pid. */
int fg_process_open(pid_t pid, uint64_t start);

/** Signal all descendants of `root` (not itself; no zombies). Returns how many there were. */
int fg_tree_signal(pid_t root, int signal_number);

/** SIGSTOP all descendants, also those that are born meanwhile. Returns how many there were. */
int fg_tree_suspend(pid_t root);

/** Stop all descendants, so that none forks meanwhile, then SIGKILL them. Returns how many there were. */
int fg_tree_kill(pid_t root);

/** SIGKILL what is left of a session whose farmgate-run is gone. Returns how many there were. */
int fg_session_kill(pid_t session, uint64_t since_start);

/** Memory of all descendants: what is theirs alone, and the largest shared part once. */
int64_t fg_tree_memory(pid_t root);

/** This boot of this machine: 36 characters. */
void fg_boot_id(char out[40]);

#endif
