/* farm: lending is fair, exact and bounded; deliveries count once; budgets hold; and the counters always say what the rows say. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/fs.h"
#include "farm/access.h"
#include "farm/ask.h"
#include "farm/farm.h"
#include "farm/count.h"
#include "farm/lease.h"
#include "farm/other_farm.h"
#include "farm/points.h"
#include "farm/product.h"
#include "farm/project.h"
#include "farm/renderer.h"
#include "farm/secret.h"
#include "farm/user.h"
#include "farm/worker.h"
#include "recount.h"

struct farm {
	char           dir[64];
	struct fg_farm farm;
	struct fg_db  *db;
	int64_t        now_ms;
};

static struct fg_settings *
settings(struct farm *f)
{
	return &f->farm.settings;
}

static int
set_up(void **state)
{
	struct farm *f = calloc(1, sizeof(*f));
	char         path[128];
	int64_t      id;

	snprintf(f->dir, sizeof(f->dir), "/tmp/farmgate-farm-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(path, sizeof(path), "%s/state", f->dir);
	assert_int_equal(fg_fs_mkdirs(path, 0700), FG_OK);
	snprintf(path, sizeof(path), "%s/farmgate.conf", f->dir);
	assert_int_equal(fg_fs_replace(path, "project_errors = 15\n", 20, 0600), FG_OK);
	assert_int_equal(fg_farm_open(&f->farm, path, FG_DB_EXCLUSIVE), FG_OK);
	f->db = f->farm.db;
	assert_int_equal(fg_db_migrate(f->db, NULL), FG_OK);
	assert_int_equal(fg_spool_make(&f->farm.spool), FG_OK);
	f->now_ms = 1000000000000;
	assert_int_equal(fg_renderer_add(&id, f->db, &(struct fg_renderer){ .md5 = "0123456789abcdef0123456789abcdef", .version = "3.4", .os = "linux", .bits = "64bit", .caps = 1 }, f->now_ms), FG_OK);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct farm *f = *state;

	recount(f->db);
	fg_farm_close(&f->farm);
	fg_fs_remove_tree(f->dir);
	free(f);
	return 0;
}

static int64_t
add_user(struct farm *f, const char *name)
{
	int64_t id;

	assert_int_equal(fg_user_add(&id, f->db, name, NULL, FG_ROLE_SUBMITTER | FG_ROLE_WORKER, f->now_ms), FG_OK);
	return id;
}

static struct fg_session
add_worker(struct farm *f, int64_t user, const char *login, const char *host, int64_t ram_kib)
{
	struct fg_session session;
	char              key[FG_SECRET_TEXT], cookie[65], found[65];

	assert_int_equal(fg_secret_add(key, NULL, f->db, "key", user, host, "", "", 0, f->now_ms), FG_OK);
	assert_int_equal(fg_session_start(cookie, &session, f->db,
	                                  &(struct fg_hello){ .login = login, .key = key, .version = "6.22306.0", .os = "linux", .bits = "64bit", .cpu = "x",
	                                                      .hostname = host, .hwid = "", .address = "127.0.0.1", .cores = 2, .ram_kib = ram_kib },
	                                  f->now_ms),
	                 FG_OK);
	snprintf(found, sizeof(found), "%s", cookie);
	assert_int_equal(fg_session_find(&session, f->db, settings(f), found, f->now_ms), FG_OK);
	found[0] = found[0] == 'a' ? 'b' : 'a';
	assert_int_equal(fg_session_find(&(struct fg_session){ 0 }, f->db, settings(f), found, f->now_ms), FG_EAUTH);
	return session;
}

static int64_t
add_project(struct farm *f, int64_t owner, int frames, int tiles, int priority)
{
	struct fg_project p = { .owner = owner, .title = "t", .archive_md5 = "x", .blend = "scene.blend", .frame_start = 1, .frame_end = frames, .frame_step = 1,
		                .rows = tiles, .columns = tiles, .width = 640, .height = 360, .percent = 100, .format = "png", .fps_num = 24, .fps_den = 1,
		                .priority = priority, .animation = frames > 1 };
	int64_t           id;

	assert_int_equal(fg_project_check(&p, settings(f)), FG_OK);
	assert_int_equal(fg_project_add(&id, f->db, &p, f->now_ms), FG_OK);
	assert_int_equal(fg_project_split(f->db, id, f->now_ms), FG_OK);
	return id;
}

static enum fg_err
lend(struct fg_lease *out, struct farm *f, const struct fg_session *session)
{
	return fg_lease_grant(out, NULL, f->db, settings(f), &(struct fg_offer){ .session = session, .ram_kib = session->ram_kib, .method = 1 }, f->now_ms);
}

static bool
deliver_as(struct farm *f, const struct fg_lease *lease, const struct fg_session *session, bool black, int64_t memory_kib)
{
	enum fg_taken taken;

	assert_int_equal(fg_lease_deliver(&taken, f->db, settings(f),
	                                  &(struct fg_delivery){ .lease = lease->id, .key = session->key, .ext = "png", .size = 100, .render_s = 2,
	                                                         .black = black, .memory_kib = memory_kib },
	                                  f->now_ms),
	                 FG_OK);
	return taken == FG_TAKEN;
}

static bool
deliver(struct farm *f, const struct fg_lease *lease, const struct fg_session *session)
{
	return deliver_as(f, lease, session, false, 0);
}

static void
fail_lease(struct farm *f, const struct fg_lease *lease, const struct fg_session *session, enum fg_blame blame)
{
	assert_int_equal(fg_lease_fail(f->db, settings(f), &(struct fg_failure){ .lease = lease->id, .key = session->key, .blame = blame, .why = "bad" }, f->now_ms), FG_OK);
}

static const char *
state_of(struct farm *f, int64_t project)
{
	static struct fg_project p;

	assert_int_equal(fg_project_get(&p, f->db, project), FG_OK);
	return p.state;
}

static bool
goes_on(struct farm *f, const struct fg_lease *lease, const struct fg_session *session)
{
	bool go_on;

	assert_int_equal(fg_lease_beat(&go_on, f->db, &(struct fg_beat){ .key = session->key, .lease = lease->id, .progress = -1, .engine = "" }, f->now_ms), FG_OK);
	return go_on;
}

static void
renders_to_the_end(void **state)
{
	struct farm      *f = *state;
	const int64_t     user = add_user(f, "alice"), project = add_project(f, user, 3, 2, 0);
	struct fg_session session = add_worker(f, user, "ALICE", "one", 8 << 20);
	struct fg_project p;
	struct fg_product product;
	struct fg_lease   lease;
	int               stitches = 0;

	for (int i = 0; i < 12; i++) {
		assert_int_equal(lend(&lease, f, &session), FG_OK);
		assert_true(lease.id >= FG_LEASE_ID_MIN);
		assert_int_equal(lease.frame, 1 + i / 4);
		assert_int_equal(lease.row * 2 + lease.column, i % 4);
		assert_true(deliver(f, &lease, &session));
		assert_false(deliver(f, &lease, &session));
		recount(f->db);
		f->now_ms += 1000;
	}
	assert_int_equal(lend(&lease, f, &session), FG_ENOTFOUND);
	assert_int_equal(fg_project_get(&p, f->db, project), FG_OK);
	assert_true(p.started_ms == f->now_ms - 12000);
	assert_string_equal(state_of(f, project), "composing");
	while (fg_product_take(&product, f->db, f->now_ms + 1000, f->now_ms) == FG_OK) {
		stitches += strcmp(product.kind, "stitch") == 0;
		assert_int_equal(fg_product_done(f->db, settings(f), &product, strcmp(product.kind, "result") == 0 ? "mp4" : "png", "", f->now_ms), FG_OK);
	}
	assert_int_equal(stitches, 3);
	assert_string_equal(state_of(f, project), "finished");
}

static void
lends_fairly(void **state)
{
	struct farm      *f = *state;
	const char *const names[] = { "anna", "bert", "cleo" };
	int64_t           users[3], count[3] = { 0 }, high;
	struct fg_session session[30];
	struct fg_lease   lease;

	for (int i = 0; i < 3; i++)
		users[i] = add_user(f, names[i]);
	for (int i = 0; i < 40; i++) /* the one who came first with most does not get more */
		add_project(f, users[0], 10, 1, 0);
	add_project(f, users[1], 20, 1, 0);
	add_project(f, users[2], 20, 1, 0);
	high = add_project(f, users[2], 5, 1, 7);
	for (int i = 0; i < 15; i++) {
		struct fg_project p;

		session[i] = add_worker(f, users[0], "anna", (char[]){ 'h', (char)('a' + i), 0 }, 8 << 20);
		assert_int_equal(lend(&lease, f, &session[i]), FG_OK);
		assert_int_equal(fg_project_get(&p, f->db, lease.project), FG_OK);
		for (int u = 0; u < 3; u++)
			count[u] += p.owner == users[u];
		if (p.owner == users[2])
			assert_int_equal(lease.project, high);
	}
	for (int u = 0; u < 3; u++)
		assert_int_equal(count[u], 5);
}

static void
set_quota(struct farm *f, int64_t user, int64_t quota)
{
	assert_int_equal(fg_db_begin(f->db, FG_FULL), FG_OK);
	assert_int_equal(fg_db_end(f->db, fg_count_quota(f->db, user, quota)), FG_OK);
}

static void
stops_at_a_quota(void **state)
{
	struct farm      *f = *state;
	const int64_t     user = add_user(f, "u"), other = add_user(f, "o"), project = add_project(f, user, 9, 1, 5);
	struct fg_session session[6];
	struct fg_lease   lease, first;

	for (int i = 0; i < 6; i++)
		session[i] = add_worker(f, other, "o", (char[]){ 'h', (char)('a' + i), 0 }, 8 << 20);
	set_quota(f, user, 2);
	assert_int_equal(lend(&first, f, &session[0]), FG_OK);
	assert_int_equal(lend(&lease, f, &session[1]), FG_OK);
	assert_int_equal(lend(&lease, f, &session[2]), FG_ENOTFOUND);
	assert_true(deliver(f, &first, &session[0]));
	assert_int_equal(lend(&lease, f, &session[2]), FG_OK);
	assert_int_equal(lend(&lease, f, &session[3]), FG_ENOTFOUND);
	assert_true(add_project(f, other, 1, 1, 0) != 0);
	assert_int_equal(lend(&lease, f, &session[3]), FG_OK); /* others are not held up */
	assert_true(lease.project != project);
	set_quota(f, user, 3);
	assert_int_equal(lend(&lease, f, &session[4]), FG_OK);
	assert_int_equal(lease.project, project);
	set_quota(f, user, 1);
	assert_int_equal(lend(&lease, f, &session[5]), FG_ENOTFOUND);
	set_quota(f, user, 0);
	assert_int_equal(lend(&lease, f, &session[5]), FG_OK);
}

static void
skips_what_does_not_fit(void **state)
{
	struct farm      *f = *state;
	const int64_t     big = add_user(f, "big"), small = add_user(f, "small");
	struct fg_session strong, weak;
	struct fg_lease   lease;
	int64_t           heavy[20], light;

	strong = add_worker(f, big, "big", "strong", 16 << 20);
	weak = add_worker(f, small, "small", "weak", 1 << 20);
	for (int i = 0; i < 20; i++) {
		heavy[i] = add_project(f, big, 3, 1, 9);
		assert_int_equal(lend(&lease, f, &strong), FG_OK);
		assert_int_equal(lease.project, heavy[i]);
		assert_true(deliver_as(f, &lease, &strong, false, 4 << 20)); /* used 4 GiB, so needs 4.8 */
		for (int k = 0; k < 2; k++)
			if (i < 19) {
				assert_int_equal(lend(&lease, f, &strong), FG_OK);
				assert_true(deliver(f, &lease, &strong));
			}
	}
	assert_int_equal(lend(&lease, f, &weak), FG_ENOTFOUND);
	light = add_project(f, small, 1, 1, -5);
	assert_int_equal(lend(&lease, f, &weak), FG_OK);
	assert_int_equal(lease.project, light);
	recount(f->db);
}

static void
takes_back_and_late(void **state)
{
	struct farm      *f = *state;
	const int64_t     user = add_user(f, "u");
	struct fg_session one = add_worker(f, user, "u", "one", 8 << 20), two = add_worker(f, user, "u", "two", 8 << 20), stranger = one;
	struct fg_lease   first, second, third;

	add_project(f, user, 1, 1, 0);
	assert_int_equal(lend(&first, f, &one), FG_OK);
	assert_int_equal(lend(&second, f, &two), FG_ENOTFOUND);
	f->now_ms = first.until_ms + 1;
	assert_int_equal(lend(&second, f, &two), FG_OK);
	assert_int_equal(second.task, first.task);
	stranger.key = 4711;
	assert_int_equal(fg_lease_return(f->db, second.id, f->now_ms), FG_OK);
	assert_true(goes_on(f, &first, &stranger)); /* it may ask, but a stranger's heartbeat gives the expired lease no new life */
	assert_int_equal(lend(&second, f, &two), FG_OK);
	assert_false(goes_on(f, &first, &one));
	assert_true(goes_on(f, &second, &two));
	assert_true(deliver(f, &first, &one)); /* late, but the task is open */
	assert_false(goes_on(f, &second, &two));
	assert_false(deliver(f, &second, &two));

	add_project(f, user, 3, 1, 0); /* a third request ends the oldest */
	assert_int_equal(lend(&first, f, &one), FG_OK);
	assert_int_equal(lend(&second, f, &one), FG_OK);
	assert_true(goes_on(f, &first, &one));
	assert_int_equal(lend(&third, f, &one), FG_OK);
	assert_int_equal(third.task, first.task);
	assert_false(goes_on(f, &first, &one));
	recount(f->db);
	assert_int_equal(fg_session_end(f->db, one.id, f->now_ms), FG_OK);
	assert_false(goes_on(f, &third, &one));
	recount(f->db);
}

static void
ends_what_runs_too_long(void **state)
{
	struct farm      *f = *state;
	const int64_t     user = add_user(f, "u");
	struct fg_session one = add_worker(f, user, "u", "one", 8 << 20);
	struct fg_lease   lease;

	add_project(f, user, 1, 1, 0);
	assert_int_equal(lend(&lease, f, &one), FG_OK);
	for (int64_t end_ms = f->now_ms + settings(f)->task_max_seconds * 1000; f->now_ms < end_ms; f->now_ms += 600000) {
		assert_true(goes_on(f, &lease, &one));
		assert_int_equal(fg_session_touch(f->db, settings(f), &one, f->now_ms), FG_OK);
	}
	assert_false(goes_on(f, &lease, &one));
	assert_int_equal(lend(&lease, f, &one), FG_OK);
}

static void
keeps_budgets(void **state)
{
	struct farm      *f = *state;
	const int64_t     user = add_user(f, "u"), project = add_project(f, user, 100, 1, 0);
	struct fg_session workers[20];
	struct fg_lease   lease;

	for (int i = 0; i < 3; i++) {
		workers[i] = add_worker(f, user, "u", (char[]){ 'w', (char)('a' + i), 0 }, 8 << 20);
		for (int k = 0; k < 5; k++) {
			assert_int_equal(lend(&lease, f, &workers[i]), FG_OK);
			assert_string_equal(state_of(f, project), "active");
			fail_lease(f, &lease, &workers[i], FG_BLAME_BOTH);
		}
	}
	assert_string_equal(state_of(f, project), "failed");
	assert_int_equal(lend(&lease, f, &workers[0]), FG_ENOTFOUND);
	recount(f->db);
	assert_int_equal(fg_project_retry(f->db, project, f->now_ms), FG_OK);
	assert_int_equal(lend(&lease, f, &workers[0]), FG_OK);
	assert_int_equal(lease.frame, 1);
}

static void
sets_workers_aside(void **state)
{
	struct farm      *f = *state;
	const int64_t     user = add_user(f, "u");
	struct fg_session one, two;
	struct fg_lease   lease;
	int64_t           aside = 0;

	(void)aside;
	add_project(f, user, 100, 1, 0);
	one = add_worker(f, user, "u", "one", 8 << 20);
	two = add_worker(f, user, "u", "two", 8 << 20);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(lend(&lease, f, &one), FG_OK);
		fail_lease(f, &lease, &one, FG_BLAME_PICTURE);
		if (i == 1) {
			assert_int_equal(lend(&lease, f, &two), FG_OK); /* a good picture of another worker changes nothing */
			assert_int_equal(lease.frame, 1);
			assert_true(deliver(f, &lease, &two));
		}
	}
	assert_int_equal(fg_db_int(&aside, f->db, FG_SQL_WORKER_BROKEN, FG_BINDS(FG_I("worker", one.worker), FG_I("more", 0))), FG_OK);
	assert_int_equal(aside, 0); /* aside, and its row begins anew */
	assert_int_equal(fg_worker_aside(f->db, one.worker, 0, "", 0, f->now_ms), FG_OK);
	assert_int_equal(fg_worker_aside(f->db, 4711, 0, "", 0, f->now_ms), FG_ENOTFOUND);
}

/* A scene that fails everywhere is stopped, also on a farm of one; its worker is not set aside for it. */
static void
judges_the_scene_first(void **state)
{
	struct farm      *f = *state;
	const int64_t     user = add_user(f, "u"), project = add_project(f, user, 100, 1, 0);
	struct fg_session one = add_worker(f, user, "u", "one", 8 << 20);
	struct fg_project p;
	struct fg_lease   lease;
	int64_t           aside = -1;

	for (int i = 0; i < settings(f)->project_errors; i++) {
		assert_int_equal(lend(&lease, f, &one), FG_OK);
		fail_lease(f, &lease, &one, FG_BLAME_BOTH);
		f->now_ms += 10;
	}
	assert_int_equal(fg_project_get(&p, f->db, project), FG_OK);
	assert_string_equal(p.state, "failed");
	assert_int_equal(fg_db_int(&aside, f->db, FG_SQL_WORKER_ERRORS, FG_BINDS(FG_I("worker", one.worker), FG_I("since_ms", 0), FG_I("online_ms", 0))), FG_OK);
	assert_int_equal(aside, 0);
	add_project(f, user, 1, 1, 0);
	assert_int_equal(lend(&lease, f, &one), FG_OK);
}

static void
spares_whom_failed(void **state)
{
	struct farm      *f = *state;
	const int64_t     user = add_user(f, "u");
	struct fg_session one = add_worker(f, user, "u", "one", 8 << 20), two = add_worker(f, user, "u", "two", 4 << 20), again;
	struct fg_lease   lease, other;

	add_project(f, user, 2, 1, 0);
	assert_int_equal(lend(&lease, f, &one), FG_OK);
	fail_lease(f, &lease, &one, FG_BLAME_BOTH);
	assert_int_equal(lend(&other, f, &one), FG_OK);
	assert_int_equal(other.frame, 2); /* frame 1 is for somebody else */
	assert_int_equal(lend(&lease, f, &one), FG_ENOTFOUND);
	assert_int_equal(lend(&lease, f, &two), FG_OK);
	assert_int_equal(lease.frame, 1);
	fail_lease(f, &lease, &two, FG_BLAME_BOTH);
	again = add_worker(f, user, "u", "one", 8 << 20); /* the same machine, with a second client */
	assert_int_equal(again.worker, one.worker);
	assert_int_equal(lend(&lease, f, &again), FG_OK); /* nobody is left who didn't fail it */
	assert_int_equal(lease.frame, 1);
	fail_lease(f, &lease, &again, FG_BLAME_NOBODY);
	f->now_ms += 10;
	assert_int_equal(fg_project_cancel(f->db, other.project, f->now_ms), FG_OK);
	assert_false(goes_on(f, &other, &one));
	assert_false(deliver(f, &other, &one));

	add_project(f, user, 1, 1, 0); /* died of memory: only where there is more */
	assert_int_equal(lend(&lease, f, &two), FG_OK);
	fail_lease(f, &lease, &two, FG_BLAME_MEMORY);
	assert_int_equal(lend(&lease, f, &two), FG_ENOTFOUND);
	assert_int_equal(lend(&lease, f, &one), FG_OK);
}

static void
doubts_black(void **state)
{
	struct farm      *f = *state;
	const int64_t     user = add_user(f, "u");
	struct fg_session one = add_worker(f, user, "u", "one", 8 << 20), two = add_worker(f, user, "u", "two", 8 << 20);
	struct fg_lease   lease;
	int64_t           broken = 0, night = add_project(f, user, 1, 1, 0);

	assert_int_equal(lend(&lease, f, &one), FG_OK);
	assert_true(deliver_as(f, &lease, &one, true, 0));
	assert_string_equal(state_of(f, night), "active");
	assert_int_equal(lend(&lease, f, &one), FG_ENOTFOUND);
	assert_int_equal(lend(&lease, f, &two), FG_OK);
	assert_true(deliver_as(f, &lease, &two, true, 0));
	assert_string_equal(state_of(f, night), "composing"); /* black twice is black */
	assert_int_equal(fg_db_int(&broken, f->db, FG_SQL_WORKER_BROKEN, FG_BINDS(FG_I("worker", one.worker), FG_I("more", 0))), FG_OK);
	assert_int_equal(broken, 0);

	add_project(f, user, 1, 1, 0);
	assert_int_equal(lend(&lease, f, &one), FG_OK);
	assert_true(deliver_as(f, &lease, &one, true, 0));
	assert_int_equal(lend(&lease, f, &two), FG_OK);
	assert_true(deliver(f, &lease, &two));
	assert_int_equal(fg_db_int(&broken, f->db, FG_SQL_WORKER_BROKEN, FG_BINDS(FG_I("worker", one.worker), FG_I("more", 0))), FG_OK);
	assert_int_equal(broken, 1);
}

static void
checks_settings(void **state)
{
	static const struct {
		const char *why;
		int         start, end, step, rows, overscan, width;
		const char *format;
		bool        good;
	} table[] = {
		{ "plain", 1, 10, 1, 2, 32, 640, "png", true },       { "negative", -5, 10, 1, 1, 0, 640, "png", false },
		{ "backwards", 5, 4, 1, 1, 0, 640, "png", false },    { "last", 1048574, 1048574, 1, 1, 0, 640, "exr", true },
		{ "too far", 1, 1048575, 1, 1, 0, 640, "png", false }, { "no step", 1, 2, 0, 1, 0, 640, "png", false },
		{ "many rows", 1, 1, 1, 65, 0, 640, "png", false },   { "no rows", 1, 1, 1, 0, 0, 640, "png", false },
		{ "overscan", 1, 1, 1, 2, 257, 640, "png", false },   { "format", 1, 1, 1, 1, 0, 640, "gif", false },
		{ "no width", 1, 1, 1, 1, 0, 0, "png", false },       { "too many tasks", 0, 1048574, 1, 64, 0, 640, "png", false },
	};
	struct farm *f = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct fg_project p = { .frame_start = table[i].start, .frame_end = table[i].end, .frame_step = table[i].step, .rows = table[i].rows, .columns = 1,
			                .overscan = table[i].overscan, .width = table[i].width, .height = 480, .percent = 100, .fps_num = 24, .fps_den = 1 };

		snprintf(p.format, sizeof(p.format), "%s", table[i].format);
		if ((fg_project_check(&p, settings(f)) == FG_OK) != table[i].good)
			fail_msg("%s", table[i].why);
	}
}

static void
asks_passwords(void **state)
{
	struct farm   *f = *state;
	struct fg_user user;
	int64_t        id;

	assert_int_equal(fg_user_add(&id, f->db, "eve", "short", FG_ROLE_ADMIN, f->now_ms), FG_EINVAL);
	assert_int_equal(fg_user_add(&id, f->db, "e v e", "long enough", FG_ROLE_ADMIN, f->now_ms), FG_EINVAL);
	assert_int_equal(fg_user_add(&id, f->db, "eve", "long enough", FG_ROLE_ADMIN, f->now_ms), FG_OK);
	assert_int_equal(fg_user_add(&id, f->db, "EVE", "long enough", FG_ROLE_ADMIN, f->now_ms), FG_ECONFLICT);
	assert_int_equal(fg_user_check(&user, f->db, "eve", "long enough", "::1", "", 2, f->now_ms), FG_OK);
	assert_int_equal(fg_user_check(&user, f->db, "nobody", "long enough", "10.0.0.2", "", 2, f->now_ms), FG_EAUTH);
	assert_int_equal(fg_user_check(&user, f->db, "eve", "wrong", "::1", "", 2, f->now_ms), FG_EAUTH);
	assert_int_equal(fg_user_check(&user, f->db, "eve", "wrong", "::1", "", 2, f->now_ms), FG_EAUTH);
	assert_int_equal(fg_user_check(&user, f->db, "eVe", "long enough", "2001:db8::9", "", 2, f->now_ms), FG_EMANY); /* by whatever letters */
	assert_int_equal(fg_user_check(&user, f->db, "other", "long enough", "::ffff:ffff:0:9", "", 2, f->now_ms), FG_EMANY); /* the same network */
	assert_int_equal(fg_user_check(&user, f->db, "other", "long enough", "0:0:0:1::1", "", 2, f->now_ms), FG_EAUTH);
	assert_int_equal(fg_user_check(&user, f->db, "eve", "long enough", "2001:db8::9", "device:1", 2, f->now_ms), FG_OK); /* who was here before */
	f->now_ms += 16 * 60 * 1000;
	assert_int_equal(fg_user_check(&user, f->db, "eve", "long enough", "::1", "", 2, f->now_ms), FG_OK);
}

static void
pauses_and_prefers(void **state)
{
	struct farm      *f = *state;
	const int64_t     user = add_user(f, "u"), one = add_project(f, user, 5, 1, 0), two = add_project(f, user, 5, 1, 0);
	struct fg_session session = add_worker(f, user, "u", "one", 8 << 20);
	struct fg_lease   lease;

	assert_int_equal(fg_project_priority(f->db, two, 3, f->now_ms), FG_OK);
	assert_int_equal(lend(&lease, f, &session), FG_OK);
	assert_int_equal(lease.project, two);
	assert_int_equal(fg_project_pause(f->db, two, f->now_ms), FG_OK);
	assert_int_equal(fg_project_pause(f->db, two, f->now_ms), FG_ECONFLICT);
	assert_true(goes_on(f, &lease, &session));
	assert_true(deliver(f, &lease, &session)); /* what runs may end */
	assert_int_equal(lend(&lease, f, &session), FG_OK);
	assert_int_equal(lease.project, one);
	assert_int_equal(fg_project_resume(f->db, two, f->now_ms), FG_OK);
	assert_int_equal(lend(&lease, f, &session), FG_OK);
	assert_int_equal(lease.project, two);
	assert_int_equal(fg_project_delete_over(f->db, &f->farm.spool, two, f->now_ms + 1, f->now_ms), FG_ECONFLICT); /* it renders */
	assert_true(goes_on(f, &lease, &session));
	assert_int_equal(fg_project_delete(f->db, &f->farm.spool, two, f->now_ms), FG_OK);
	assert_int_equal(fg_project_delete_over(f->db, &f->farm.spool, two, f->now_ms + 1, f->now_ms), FG_ENOTFOUND);
	assert_false(goes_on(f, &lease, &session));
	assert_int_equal(fg_project_get(&(struct fg_project){ 0 }, f->db, two), FG_ENOTFOUND);
}

/* A point is a minute of a core; a graphics card is ten cores; nobody renders for longer than they had the task, or before it was lent. */
static void
points_are_minutes_of_cores(void **state)
{
	static const struct {
		int64_t render_s, lent_ms;
		int     cores;
		bool    gpu;
		int64_t points;
	} table[] = { { 60, 60000, 1, false, 1000 },   { 90, 600000, 8, false, 12000 }, { 60, 60000, 64, true, 10000 }, { 31536000, 30000, 2, false, 1000 },
		      { 60, 0, 4, false, 0 },          { -5, 60000, 4, false, 0 },      { 60, -1, 4, false, 0 },        { 1, 1500, 0, false, 16 },
		      { INT64_MAX, 1000, 1, true, 166 } };
	const struct fg_settings standard = { .point_core_seconds = 60, .point_gpu_factor = 10 };

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		assert_int_equal(fg_points(&standard, &(struct fg_effort){ table[i].render_s, table[i].lent_ms, table[i].cores, table[i].gpu }), table[i].points);
}

/* Hours on the wall: over midnight, and over the nights in which Berlin's clocks jump. Times are Unix ms of UTC. */
static void
workers_sleep(void **state)
{
	static const struct {
		const char *from, *to, *zone;
		int64_t     at_s;
		bool        asleep;
	} table[] = {
		{ "22:00", "06:00", "Europe/Berlin", 1700000000, true },  /* 2023-11-14 22:13:20 UTC, 23:13 there */
		{ "22:00", "06:00", "UTC", 1699999200, true },            /* 22:00 */
		{ "22:00", "06:00", "UTC", 1699999199, false },           /* 21:59 */
		{ "22:00", "06:00", "UTC", 1700027999, true },            /* 05:59 */
		{ "22:00", "06:00", "UTC", 1700028000, false },           /* 06:00 */
		{ "08:00", "17:30", "America/New_York", 1700000000, true }, /* 17:13 there */
		{ "08:00", "17:00", "America/New_York", 1700000000, false },
		{ "02:30", "03:30", "Europe/Berlin", 1711846799, false }, /* 2024-03-31 01:59:59 there; the next second is 03:00 */
		{ "02:30", "03:30", "Europe/Berlin", 1711846800, true },
		{ "02:30", "03:30", "Europe/Berlin", 1711848600, false }, /* 03:30 */
		{ "02:30", "03:00", "Europe/Berlin", 1729989000, true },  /* 2024-10-27 02:30 there, summer still */
		{ "02:30", "03:00", "Europe/Berlin", 1729990800, false }, /* 02:00 a second time */
		{ "02:30", "03:00", "Europe/Berlin", 1729992600, true },  /* 02:30 a second time */
		{ "", "", "", 1700000000, false },
	};
	static const char *const wrong[][3] = { { "22:00", "06:00", "" }, { "22:00", "06:00", "Nowhere/Land" }, { "22:00", "22:00", "UTC" }, { "24:00", "06:00", "UTC" },
		                                { "22:60", "06:00", "UTC" }, { "9:00", "06:00", "UTC" }, { "", "06:00", "UTC" }, { "22:00", "", "UTC" },
		                                { "22:00", "06:00", "../../../etc/passwd" }, { "22:00", "06:00", "/etc/localtime" }, { "22:00", "06:00", "zone.tab" },
		                                { "22:00", "06:00", "Europe" }, { "22:00", "06:00", "Europe//Berlin" }, { "2200", "06:00", "UTC" }, { "-1:00", "06:00", "UTC" } };
	struct fg_sleep          sleep;

	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		assert_int_equal(fg_sleep_parse(&sleep, table[i].from, table[i].to, table[i].zone), FG_OK);
		if (fg_sleep_at(&sleep, table[i].at_s * 1000) != table[i].asleep)
			fail_msg("%s to %s %s at %lld", table[i].from, table[i].to, table[i].zone, (long long)table[i].at_s);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (fg_sleep_parse(&sleep, wrong[i][0], wrong[i][1], wrong[i][2]) != FG_EINVAL)
			fail_msg("%s %s %s", wrong[i][0], wrong[i][1], wrong[i][2]);
	assert_string_equal(getenv("TZ"), "Asia/Tokyo");
	unsetenv("TZ");
	snprintf(sleep.zone, sizeof(sleep.zone), "Lost/Zone");
	sleep.from = 1, sleep.to = 0;
	assert_false(fg_sleep_at(&sleep, 0));
}

/* Each generation waits for known times. */
static void
generations_wait(void **state)
{
	static const struct {
		const char *version;
		bool        own;
		int         answer, idle;
		int64_t     wait_s;
	} table[] = { { "3.3.2", false, 200, 0, 900 },      { "3.3.1762", false, 200, 9, 900 },  { "3.3.2", false, 205, 0, 300 },   { "3.3.2", false, 203, 0, 0 },
		      { "6.20295.0", false, 200, 0, 300 },  { "6.22306.0", false, 200, 1, 480 }, { "6.22306.0", false, 200, 2, 720 }, { "6.22306.0", false, 200, 3, 900 },
		      { "6.22306.0", false, 200, 4, 1200 }, { "6.1", false, 200, 4000, 1200 },   { "6.22306.0", false, 205, 0, 0 },   { "6.22306.0", false, 201, 0, 0 },
		      { "7.24086.0", false, 200, 3, 120 },  { "1.0", true, 200, 7, 30 },         { "1.0", true, 203, 0, 0 },          { "", false, 200, 0, 900 } };
	struct fg_session session = { .id = 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		snprintf(session.version, sizeof(session.version), "%s", table[i].version);
		session.own = table[i].own;
		assert_int_equal(fg_ask_wait_ms(&session, table[i].answer, table[i].idle), table[i].wait_s * 1000);
	}
}

/* Who is expected next, as far as they may take the project's tasks; those asleep or set aside then are not. */
static void
expects_workers(void **state)
{
	struct farm      *f = *state;
	const int64_t     ann = add_user(f, "ann"), bob = add_user(f, "bob");
	struct fg_session one = add_worker(f, ann, "ann", "one", 8 << 20), two = add_worker(f, bob, "bob", "two", 8 << 20);
	const int64_t     id = add_project(f, ann, 3, 1, 0);
	struct fg_project p;
	struct fg_lease   lease;
	struct fg_sleep   sleep;
	int64_t           next_ms = 0;

	f->now_ms += FG_ASK_OVERDUE_MS; /* the logins are over */
	assert_int_equal(fg_project_get(&p, f->db, id), FG_OK);
	assert_int_equal(fg_ask_next(&next_ms, f->db, &p, f->now_ms), FG_OK);
	assert_int_equal(next_ms, 0);
	two.idle_ms = one.idle_ms = 0;
	assert_int_equal(fg_ask_told(f->db, &two, 200, "", f->now_ms), FG_OK);
	f->now_ms += 1000;
	assert_int_equal(fg_ask_told(f->db, &one, 200, "", f->now_ms), FG_OK);
	assert_int_equal(fg_ask_next(&next_ms, f->db, &p, f->now_ms), FG_OK);
	assert_int_equal(next_ms, f->now_ms - 1000 + 300000);
	assert_int_equal(fg_sleep_parse(&sleep, "00:00", "23:59", "UTC"), FG_OK);
	assert_int_equal(fg_worker_sleep(f->db, two.worker, &sleep), FG_OK);
	assert_int_equal(fg_ask_next(&next_ms, f->db, &p, f->now_ms), FG_OK);
	assert_int_equal(next_ms, f->now_ms + 300000);
	assert_int_equal(fg_worker_sleep(f->db, two.worker, &(struct fg_sleep){ .from = 0 }), FG_OK);
	assert_int_equal(fg_worker_aside(f->db, two.worker, f->now_ms + 3600000, "x", ann, f->now_ms), FG_OK);
	assert_int_equal(fg_ask_next(&next_ms, f->db, &p, f->now_ms), FG_OK);
	assert_int_equal(next_ms, f->now_ms + 300000);
	assert_int_equal(fg_worker_aside(f->db, two.worker, 0, "", 0, f->now_ms), FG_OK);
	p.memory_kib = 64 << 20;
	assert_int_equal(fg_ask_next(&next_ms, f->db, &p, f->now_ms), FG_OK);
	assert_int_equal(next_ms, 0);
	p.memory_kib = 0;
	snprintf(p.renderer, sizeof(p.renderer), "2.49");
	assert_int_equal(fg_ask_next(&next_ms, f->db, &p, f->now_ms), FG_OK);
	assert_int_equal(next_ms, 0);
	assert_int_equal(lend(&lease, f, &two), FG_OK); /* `two` as it was before it was told anything: the row is written again all the same */
	two.next_ms = 1;
	assert_int_equal(fg_lease_return(f->db, lease.id, f->now_ms), FG_OK);
	assert_int_equal(lend(&lease, f, &two), FG_OK);
	assert_int_equal(fg_project_get(&p, f->db, id), FG_OK);
	assert_int_equal(fg_ask_next(&next_ms, f->db, &p, f->now_ms), FG_OK);
	assert_int_equal(next_ms, f->now_ms + 300000);
	assert_int_equal(fg_access_set_workers(f->db, id, "bob", f->now_ms), FG_OK);
	assert_int_equal(fg_project_get(&p, f->db, id), FG_OK);
	assert_int_equal(fg_ask_next(&next_ms, f->db, &p, f->now_ms), FG_OK);
	assert_int_equal(next_ms, 0);
}

/* A task that a worker failed goes to others first; but nobody waits for one that sleeps at times. */
static void
sleepers_are_not_waited_for(void **state)
{
	struct farm      *f = *state;
	const int64_t     ann = add_user(f, "ann");
	struct fg_session one = add_worker(f, ann, "ann", "one", 8 << 20), two = add_worker(f, ann, "ann", "two", 8 << 20);
	struct fg_sleep   sleep;
	struct fg_lease   lease;

	add_project(f, ann, 1, 1, 0);
	assert_int_equal(lend(&lease, f, &one), FG_OK);
	assert_int_equal(fg_lease_fail(f->db, settings(f), &(struct fg_failure){ .lease = lease.id, .key = one.key, .blame = FG_BLAME_BOTH, .why = "x" }, f->now_ms),
	                 FG_OK);
	assert_int_equal(lend(&lease, f, &one), FG_ENOTFOUND);
	assert_int_equal(fg_sleep_parse(&sleep, "22:00", "06:00", "UTC"), FG_OK);
	assert_int_equal(fg_worker_sleep(f->db, two.worker, &sleep), FG_OK);
	assert_int_equal(lend(&lease, f, &one), FG_OK);
}

/* Which frames the other farm's workers cut as we do, and with how much overscan. */
static void
other_farm_cuts(void **state)
{
	static const struct {
		int width, height, n, overscan, told; /* told -1: none fits */
	} table[] = { { 160, 90, 1, 8, 8 },      { 160, 90, 2, 8, 8 },      { 160, 90, 2, 0, 0 },   { 1920, 1080, 4, 32, 32 }, { 1920, 1080, 5, 32, 31 },
		      { 1920, 1080, 7, 0, -1 },  { 160, 90, 4, 0, -1 },     { 161, 91, 1, 64, 64 }, { 161, 91, 3, 8, -1 },     { 160, 90, 3, 64, 30 },
		      { 4096, 2048, 8, 256, 256 } };
	struct fg_project    p = { .percent = 100, .format = "png" };
	struct fg_other_tile tile;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		p.width = table[i].width;
		p.height = table[i].height;
		p.rows = p.columns = table[i].n;
		p.overscan = table[i].overscan;
		assert_int_equal(fg_other_overscan(&p), table[i].told);
		assert_int_equal(fg_other_accepts(&p), table[i].told >= 0);
	}
	p.percent = 50;
	assert_false(fg_other_accepts(&p));
	p.percent = 100;
	p.columns = 4;
	assert_false(fg_other_accepts(&p));
	p.columns = 8;
	snprintf(p.scene, sizeof(p.scene), "Other");
	assert_false(fg_other_accepts(&p));
	fg_other_tile(&tile, &p, &(struct fg_lease){ .project = 7, .frame = 12, .row = 0, .column = 3 });
	assert_string_equal(tile.chunk, "7_12_3_7");
}

int
main(void)
{
#define FARM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_are_minutes_of_cores), cmocka_unit_test(workers_sleep), cmocka_unit_test(generations_wait), cmocka_unit_test(other_farm_cuts),
		FARM_TEST(expects_workers), FARM_TEST(sleepers_are_not_waited_for),
		FARM_TEST(renders_to_the_end), FARM_TEST(lends_fairly), FARM_TEST(stops_at_a_quota), FARM_TEST(skips_what_does_not_fit), FARM_TEST(takes_back_and_late),
		FARM_TEST(ends_what_runs_too_long), FARM_TEST(keeps_budgets), FARM_TEST(sets_workers_aside), FARM_TEST(judges_the_scene_first), FARM_TEST(spares_whom_failed),
		FARM_TEST(doubts_black), FARM_TEST(checks_settings), FARM_TEST(asks_passwords), FARM_TEST(pauses_and_prefers),
	};

	return cmocka_run_group_tests_name("farm", tests, NULL, NULL);
}
