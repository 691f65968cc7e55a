/* compositor: makes what follows from rendered tiles: previews, stitched frames, videos and zips. It only plans; each product is made by a
 * child of its own (`compositor --make`, see compositor_make.h) with limits on memory and time.
 *
 *   compositor [--config FILE | --dir DIR]     FARMGATE_CONFIG names the settings file otherwise
 *   compositor … --housekeeping                sweep once and end; the daemon runs this each minute, beside its makers
 *   compositor … --batch ID                    look after a batch once and end; the daemon runs this when one has something to do
 *
 * It holds nothing that matters. A product being made is a row with a lease of LEASE_MS that is renewed while its child lives; killed at any
 * moment, its children die with it, and the next compositor goes on. One runs on a state at a time: flock(state/compositor.lock).
 * SIGTERM ends it at once. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/time.h"
#include "compositor_batch.h"
#include "compositor_child.h"
#include "compositor_chore.h"
#include "compositor_make.h"
#include "farm/confine.h"
#include "farm/farm.h"
#include "farm/chore.h"
#include "farm/housekeep.h"
#include "farm/program.h"
#include "farm/product.h"

enum { LEASE_MS = 30000, RENEW_MS = 5000, IDLE_MS = 500, SWEEP_MS = 60000, JOBS_MAX = 1024 };

struct compositor {
	struct fg_farm   farm;
	pid_t            housekeeper; /* 0: none */
	int64_t          swept_ms;    /* steady time when the last one was started; 0: never */
	struct fg_child *children; /* JOBS_MAX places */
	bool             more;     /* the last look found something to make */
	struct fg_batchers batchers;
	struct fg_choring  choring;
};

static volatile sig_atomic_t ending;

static void
on_term(int signal_number)
{
	(void)signal_number;
	ending = 1;
}

/* --- the maker: one product, in a process that may die */

static int
make_one(struct fg_farm *farm, char **args)
{
	struct fg_make make = { .farm = farm, .product = strtoll(args[0], NULL, 10), .frame = (int)strtol(args[3], NULL, 10), .shown = -1 };
	enum fg_err    err = fg_project_get(&make.project, farm->db, strtoll(args[2], NULL, 10));

	if (!fg_confine(FG_CAGE_MAKE))
		fg_log(FG_LOG_WARN, "cage.missing", "why=%s", fg_log_quote(strerror(errno)).text);
	if (err == FG_OK)
		err = fg_make(&make, args[1]);
	if (err != FG_OK) {
		printf("why %s\n", fg_err_text(err));
		return 1;
	}
	if (make.note[0] != '\0')
		printf("note %s\n", make.note);
	printf("ext %s\n", make.ext);
	return 0;
}

/* --- the planner */

static int
jobs(const struct compositor *c)
{
	const long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (c->farm.settings.compositor_jobs > 0)
		return (int)c->farm.settings.compositor_jobs;
	return cores < 1 ? 1 : cores > JOBS_MAX ? JOBS_MAX : (int)cores;
}

static void
warn(const char *event, enum fg_err err)
{
	fg_log(FG_LOG_WARN, event, "why=%s", fg_log_quote(fg_err_text(err)).text);
}

/* What the file of a product takes on disk; a second name of another file takes nothing. */
static int64_t
bytes_of(const struct fg_spool *spool, const struct fg_product *product, const char *ext)
{
	char        name[FG_SPOOL_NAME], path[PATH_MAX];
	struct stat st;

	if (strcmp(product->kind, "preview") == 0)
		fg_spool_preview(name, product->project, product->frame);
	else if (strcmp(product->kind, "stitch") == 0)
		fg_spool_frame(name, product->project, product->frame, ext);
	else if (strcmp(product->kind, "result") == 0)
		fg_spool_result(name, product->project, ext);
	else
		fg_spool_raw(name, product->project);
	fg_spool_path(path, spool, name);
	return stat(path, &st) == 0 && st.st_nlink == 1 ? st.st_size : 0;
}

static void
close_child(struct compositor *c, struct fg_child *child, bool ok)
{
	struct fg_db *db = c->farm.db;
	enum fg_err   err;

	if (ok) {
		fg_log(FG_LOG_INFO, "product.made", "product=%" PRId64 " project=%" PRId64 " kind=%s frame=%d ms=%" PRId64, child->product.id,
		       child->product.project, child->product.kind, child->product.frame, fg_steady_ms() - child->started_ms);
		child->product.bytes = bytes_of(&c->farm.spool, &child->product, child->ext);
		err = fg_product_done(db, &c->farm.settings, &child->product, child->ext, child->note, fg_now_ms());
	} else {
		char prefix[32];

		snprintf(prefix, sizeof(prefix), FG_MAKE_PREFIX "%" PRId64 "-", child->product.id);
		fg_spool_sweep_as(&c->farm.spool, prefix);
		err = fg_product_failed(db, &child->product, child->why, fg_now_ms());
	}
	if (err != FG_OK)
		warn("product.unsaid", err); /* its lease ends, and it is made again */
}

static void
watch_child(struct compositor *c, struct fg_child *child)
{
	const int64_t now_ms = fg_steady_ms();
	enum fg_err   err;
	bool          ok = false;

	fg_child_read(child);
	if (fg_child_ended(child, &ok, &c->farm.settings)) {
		close_child(c, child, ok);
		return;
	}
	if (now_ms - child->started_ms > c->farm.settings.compositor_seconds * 1000 && !child->overdue) {
		child->overdue = true;
		fg_child_kill(child);
	}
	if (now_ms - child->renewed_ms < RENEW_MS)
		return;
	child->renewed_ms = now_ms;
	if ((err = fg_product_progress(c->farm.db, &child->product, child->progress, fg_now_ms() + LEASE_MS)) != FG_OK)
		warn("product.renew", err);
}

static void
start_one(struct compositor *c, struct fg_child *place)
{
	struct fg_product product;
	const int64_t     now_ms = fg_now_ms();
	enum fg_err       err = fg_product_take(&product, c->farm.db, now_ms + LEASE_MS, now_ms);

	c->more = err == FG_OK;
	if (err == FG_ENOTFOUND)
		return;
	if (err == FG_OK && (err = fg_child_start(place, &product, &c->farm.settings, c->farm.config)) != FG_OK)
		fg_product_failed(c->farm.db, &product, fg_err_text(err), now_ms);
	if (err != FG_OK)
		warn("product.take", err);
}

/* Look after those that run, then fill the free places. */
static void
look(struct compositor *c)
{
	const int most = jobs(c);
	int       running = 0;

	for (int i = 0; i < JOBS_MAX; i++)
		if (c->children[i].pid != 0) {
			watch_child(c, &c->children[i]);
			running += c->children[i].pid != 0;
		}
	c->more = true;
	for (int i = 0; i < JOBS_MAX && running < most && c->more; i++)
		if (c->children[i].pid == 0) {
			start_one(c, &c->children[i]);
			running += c->children[i].pid != 0;
		}
}

/* Until a child says something or ends (its pipes close), or it is time to look again. */
static void
rest(const struct compositor *c)
{
	struct pollfd fds[JOBS_MAX * 2];
	nfds_t        n = 0;
	bool          closed = false;

	for (int i = 0; i < JOBS_MAX; i++) {
		const struct fg_child *child = &c->children[i];

		if (child->pid == 0)
			continue;
		if (child->out >= 0)
			fds[n++] = (struct pollfd){ .fd = child->out, .events = POLLIN };
		if (child->err >= 0)
			fds[n++] = (struct pollfd){ .fd = child->err, .events = POLLIN };
		closed |= child->out < 0 && child->err < 0;
	}
	poll(fds, n, closed ? 2 : IDLE_MS); /* closed: it is about to be gone */
}

/* --- housekeeping: in a process of its own, so that a long sweep keeps no product waiting */

static void
keep_house(struct compositor *c)
{
	const int64_t now_ms = fg_steady_ms();

	if (c->housekeeper > 0 && waitpid(c->housekeeper, NULL, WNOHANG) == c->housekeeper)
		c->housekeeper = 0;
	if (c->housekeeper > 0 || (c->swept_ms > 0 && now_ms - c->swept_ms < SWEEP_MS))
		return;
	c->swept_ms = now_ms;
	c->housekeeper = fork();
	if (c->housekeeper == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("/proc/self/exe", "compositor", "--config", c->farm.config, "--housekeeping", (char *)NULL);
		_exit(127);
	}
}

static int
sweep(struct fg_farm *farm)
{
	struct fg_housekept kept;
	enum fg_err         err = fg_housekeep(&kept, farm, fg_now_ms());

	if (err != FG_OK)
		warn("housekeeping", err);
	return err == FG_OK ? 0 : 1;
}

static enum fg_err
lock_state(const struct fg_farm *farm)
{
	char path[PATH_MAX];
	int  fd;

	snprintf(path, sizeof(path), "%.4000s/compositor.lock", farm->settings.state_dir);
	if ((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) < 0)
		return fg_fail(FG_EIO, "could not open %s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return FG_OK; /* held until this process ends */
	return fg_fail(FG_EBUSY, "another compositor works on %s", farm->settings.state_dir);
}

static int
plan(struct compositor *c)
{
	enum fg_err err;

	if ((err = lock_state(&c->farm)) != FG_OK || (err = fg_product_recover(c->farm.db)) != FG_OK) {
		fprintf(stderr, "compositor: %s\n", fg_err_text(err));
		return 1;
	}
	fg_spool_sweep_as(&c->farm.spool, FG_MAKE_PREFIX);
	c->children = fg_alloc(JOBS_MAX * sizeof(*c->children));
	fg_chore_recover(c->farm.db);
	fg_program_note(c->farm.db, "compositor", fg_now_ms());
	fg_log(FG_LOG_INFO, "compositor.ready", "jobs=%d", jobs(c));
	while (!ending) {
		fg_farm_refresh(&c->farm, fg_now_ms());
		look(c);
		keep_house(c);
		fg_batchers_look(&c->batchers, &c->farm);
		fg_chores_look(&c->choring, &c->farm);
		if (!ending)
			rest(c);
	}
	for (int i = 0; i < JOBS_MAX; i++)
		if (c->children[i].pid != 0)
			fg_child_kill(&c->children[i]);
	if (c->housekeeper > 0)
		kill(c->housekeeper, SIGKILL);
	fg_batchers_end(&c->batchers, &c->farm);
	fg_chores_end(&c->choring, &c->farm);
	fg_product_recover(c->farm.db); /* what was being made waits for the next compositor */
	free(c->children);
	return 0;
}

static int
usage(void)
{
	fputs("usage: compositor [--config FILE | --dir DIR] [--housekeeping]\n", stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' }, { "dir", required_argument, NULL, 'd' },
		                                 { "make", no_argument, NULL, 'm' },
		                                 { "housekeeping", no_argument, NULL, 'h' }, { "batch", required_argument, NULL, 'b' }, { "chore", required_argument, NULL, 'j' },
		                                 { NULL, 0, NULL, 0 } };
	struct compositor c = { 0 };
	char              path[PATH_MAX];
	const char       *config = NULL;
	bool              maker = false, sweeper = false;
	int64_t           batch = 0, chore = 0;
	int               option, status = 1;
	enum fg_err       err;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (option == 'd')
			config = snprintf(path, sizeof(path), "%s/farmgate.conf", optarg) < (int)sizeof(path) ? path : "";
		else if (option == 'c')
			config = optarg;
		else if (option == 'm')
			maker = true;
		else if (option == 'h')
			sweeper = true;
		else if (option == 'b')
			batch = strtoll(optarg, NULL, 10);
		else if (option == 'j')
			chore = strtoll(optarg, NULL, 10);
		else
			return usage();
	if (argc - optind != (maker ? 4 : 0))
		return usage();
	fg_log_program("compositor");
	sigaction(SIGTERM, &(struct sigaction){ .sa_handler = maker || sweeper || batch > 0 || chore > 0 ? SIG_DFL : on_term }, NULL);
	sigaction(SIGINT, &(struct sigaction){ .sa_handler = maker || sweeper || batch > 0 || chore > 0 ? SIG_DFL : on_term }, NULL);
	if ((err = fg_farm_open(&c.farm, config, FG_DB_SHARED)) == FG_OK)
		status = maker ? make_one(&c.farm, argv + optind) : sweeper ? sweep(&c.farm) : batch > 0 ? fg_batcher(&c.farm, batch)
		         : chore > 0 ? fg_chore_run(&c.farm, chore) : plan(&c);
	else
		fprintf(stderr, "compositor: %s\n", fg_err_text(err));
	fg_farm_close(&c.farm);
	return status;
}
