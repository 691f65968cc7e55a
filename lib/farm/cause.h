/* cause: what a failure means for people: the words of programs in, one plain sentence with what to do out. */
#ifndef FG_FARM_CAUSE_H
#define FG_FARM_CAUSE_H

struct fg_cause {
	const char *name;     /**< "memory", "missing-file", … ; "other" */
	const char *sentence; /**< what happened and what to do */
};

/** The cause that an outcome (lease.outcome, project.message) tells of; never NULL. */
const struct fg_cause *fg_cause_of(const char *outcome);

#endif
