/* report: what a worker says when something went wrong, and what it means. */
#ifndef FG_FARM_REPORT_H
#define FG_FARM_REPORT_H

#include "base/buf.h"
#include "farm/farm.h"
#include "farm/lease.h"

enum { FG_REPORT_UNTYPED = -1 };

struct fg_report {
	int64_t lease, key;  /**< lease FG_NO_LEASE: about no task; it is only logged */
	int     type;        /**< the clients' own numbers, FG_REPORT_UNTYPED from 3.3.2 */
	int64_t memory_kib;
	int     log_fd;      /**< -1: none */
	bool    log_alone;   /**< nothing went wrong: the lease goes on, its log is kept */
};

/** Keep the log (at most log_bytes, compressed) and let the lease fail, by whose fault the type says. FG_OK also for a lease that is not known. */
enum fg_err fg_report_take(const struct fg_report *report, struct fg_farm *farm, int64_t now_ms);

/** The log that came with a failed lease of this project, as text with what is not UTF-8 replaced; at most log_bytes. FG_ENOTFOUND */
enum fg_err fg_report_log(struct fg_buf *out, struct fg_farm *farm, int64_t project, int64_t lease);

#endif
