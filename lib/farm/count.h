/* count: the sums that lending reads, kept by the transaction that changes a task. A test recounts them.
 *
 * project.waiting, running, done and user.running, load change with every task. project.open (active, in a queue, something waits), queue.projects (its
 * open ones), need.queues (those of its queues that have any) and which project a queue lends from next change only when a project's last waiting task
 * goes or its first one comes. turn orders the queues that have an open project by need, owner's load, priority and age; a row of it moves with the load. */
#ifndef FG_FARM_COUNT_H
#define FG_FARM_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "store/db.h"

struct fg_delta {
	int     waiting, running, done;
	int64_t lent_ms; /**< when, if a task was lent; a project's first says when it started */
};

/** Tasks of `project` changed state by so many. Inside a transaction. */
enum fg_err fg_count_tasks(struct fg_db *db, int64_t project, struct fg_delta delta);

/** Put a project's waiting tasks into the queue that fits its owner, renderer, device and memory; the project is active from now on.
 * Also to be called when one of these or the priority has changed. */
enum fg_err fg_count_enqueue(struct fg_db *db, int64_t project);

/** Take them out (pause, cancel, failed). Call before its state changes from 'active'. */
enum fg_err fg_count_dequeue(struct fg_db *db, int64_t project);

/** The most tasks of an owner that may run at once; 0: any number. Inside a transaction. */
enum fg_err fg_count_quota(struct fg_db *db, int64_t owner, int64_t quota);

/** How many of these sums are not what counting again says; with `mend` they are made so. Walks everything: for an admin's check. */
enum fg_err fg_count_again(int64_t *differ, struct fg_db *db, bool mend);

/** What a project needs, in KiB, by the largest memory that its tasks used; 0 unknown. */
int64_t fg_count_need_kib(int64_t used_kib);

#endif
