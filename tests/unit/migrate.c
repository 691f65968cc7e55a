/* migrate: a farm of version 1 in the middle of its work moves to the newest version, and its counters and lendings go on. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "farm/farm.h"
#include "farm/lease.h"
#include "farm/project.h"
#include "recount.h"
#include "store/migrations.h"

/* Two owners. Project 1: six tasks, two of them lent and one done; 2: paused; 3: of the other owner, higher priority, all waiting; 4: nothing waits.
 * Leases 1001 and 1002 live; 1003 was delivered; 1004 ended in a way that left no time. */
static const char work[] =
	"INSERT INTO user (id, name, roles, weight, running, created_ms) VALUES (1, 'ann', 6, 100, 3, 1), (2, 'bob', 6, 200, 0, 1);"
	"INSERT INTO secret (id, kind, hash, user, created_ms) VALUES (1, 'key', x'01', 1, 1);"
	"INSERT INTO worker (id, user, identity, name, os, bits, cpu, cores, ram_kib, version, created_ms, seen_ms)"
	" VALUES (1, 1, 'a', 'a', 'linux', '64bit', 'x', 2, 8000000, '6', 1, 1), (2, 1, 'b', 'b', 'linux', '64bit', 'x', 2, 8000000, '6', 1, 1);"
	"INSERT INTO session (id, hash, user, key, worker, version, own, os, bits, cores, ram_kib, created_ms, seen_ms)"
	" VALUES (1, x'01', 1, 1, 1, '6', 0, 'linux', '64bit', 2, 8000000, 1, 1), (2, x'02', 1, 1, 2, '6', 0, 'linux', '64bit', 2, 8000000, 1, 1);"
	"INSERT INTO renderer (id, md5, version, os, bits, size, created_ms) VALUES (1, '0123456789abcdef0123456789abcdef', '3.4', 'linux', '64bit', 1, 1);"
	"INSERT INTO need (id, version, device, memory_kib, waiting) VALUES (1, '', 0, 0, 6), (2, '', 2, 0, 0);"
	"INSERT INTO queue (id, owner, need, waiting, load, priority, project) VALUES (1, 1, 1, 3, 30000, 0, 1), (2, 2, 1, 3, 0, 5, 3), (3, 1, 2, 0, 30000, 0, 0);"
	"INSERT INTO project (id, owner, queue, state, title, priority, archive_md5, archive_size, blend, animation, frame_start, frame_end, frame_step, rows, columns,"
	" overscan, width, height, percent, format, fps_num, fps_den, frames_total, tasks_total, split, waiting, running, done, created_ms)"
	" SELECT id, owner, queue, state, 't', priority, 'x', 1, 'a.blend', 1, 1, total, 1, 1, 1, 0, 64, 36, 100, 'png', 24, 1, total, total, total, waiting, running, done, 1"
	" FROM (SELECT 1 AS id, 1 AS owner, 1 AS queue, 'active' AS state, 0 AS priority, 6 AS total, 3 AS waiting, 2 AS running, 1 AS done"
	" UNION ALL SELECT 2, 1, NULL, 'paused', 0, 3, 3, 0, 0 UNION ALL SELECT 3, 2, 2, 'active', 5, 3, 3, 0, 0 UNION ALL SELECT 4, 1, 3, 'active', 0, 1, 0, 1, 0);"
	"INSERT INTO task (id, project, seq, frame, row, column, state, holder, lease) VALUES"
	" (1, 1, 0, 1, 0, 0, 'done', 0, 1003), (2, 1, 1, 2, 0, 0, 'leased', 1001, 0), (3, 1, 2, 3, 0, 0, 'leased', 1002, 0), (4, 1, 3, 4, 0, 0, 'waiting', 0, 0),"
	" (5, 1, 4, 5, 0, 0, 'waiting', 0, 0), (6, 1, 5, 6, 0, 0, 'waiting', 0, 0), (7, 2, 0, 1, 0, 0, 'waiting', 0, 0), (8, 2, 1, 2, 0, 0, 'waiting', 0, 0),"
	" (9, 2, 2, 3, 0, 0, 'waiting', 0, 0), (10, 3, 0, 1, 0, 0, 'waiting', 0, 0), (11, 3, 1, 2, 0, 0, 'waiting', 0, 0), (12, 3, 2, 3, 0, 0, 'waiting', 0, 0),"
	" (13, 4, 0, 1, 0, 0, 'leased', 1005, 0);"
	"INSERT INTO lease (id, task, project, session, worker, key, renderer, state, since_ms, until_ms, hard_ms, ended_ms) VALUES"
	" (1001, 2, 1, 1, 1, 1, 1, 'live', 100, 90000000, 90000000, 0), (1002, 3, 1, 2, 2, 1, 1, 'live', 100, 90000000, 90000000, 0),"
	" (1003, 1, 1, 1, 1, 1, 1, 'delivered', 50, 90000000, 90000000, 90), (1004, 4, 1, 2, 2, 1, 1, 'returned', 40, 90000000, 90000000, 0),"
	" (1005, 13, 4, 2, 2, 1, 1, 'live', 100, 90000000, 90000000, 0);"
	"UPDATE sequence SET next = 2000;";

static void
no_rows(void *ctx, int columns, char **values, char **names)
{
	(void)ctx, (void)columns, (void)values, (void)names;
}

static void
run(struct fg_db *db, const char *text)
{
	assert_int_equal(fg_db_shell(db, text, no_rows, NULL), FG_OK);
}

static int64_t
lend(struct fg_farm *farm, const struct fg_session *session, int64_t now_ms)
{
	const struct fg_offer offer = { .session = session, .ram_kib = 8000000, .method = 1 };
	struct fg_lease       lease = { .project = 0 };
	enum fg_err           err = fg_lease_grant(&lease, NULL, farm->db, &farm->settings, &offer, now_ms);

	assert_true(err == FG_OK || err == FG_ENOTFOUND);
	recount(farm->db);
	return lease.project;
}

static void
goes_on(struct fg_farm *farm)
{
	const struct fg_delivery delivery = { .lease = 1001, .key = 1, .ext = "png", .size = 10 };
	enum fg_taken            taken;
	bool                     go_on = false;

	assert_int_equal(fg_lease_beat(&go_on, farm->db, &(struct fg_beat){ .key = 1, .lease = 1002, .progress = 500, .engine = "" }, 1000), FG_OK);
	assert_true(go_on);
	assert_int_equal(fg_lease_deliver(&taken, farm->db, &farm->settings, &delivery, 1000), FG_OK);
	assert_int_equal(taken, FG_TAKEN);
	recount(farm->db);
	for (int i = 0; i < 6; i++) { /* bob has nothing running and twice the weight: his three first, then ann's; each asked by a session of its own */
		const struct fg_session session = { .id = 10 + i, .user = 1, .key = 1, .worker = 1, .os = "linux", .bits = "64bit" };

		assert_int_equal(lend(farm, &session, 1000), i < 3 ? 3 : 1);
	}
	assert_int_equal(lend(farm, &(struct fg_session){ .id = 20, .worker = 1, .key = 1, .os = "linux", .bits = "64bit" }, 1000), 0);
	assert_int_equal(fg_project_resume(farm->db, 2, 1000), FG_OK);
	recount(farm->db);
	assert_int_equal(lend(farm, &(struct fg_session){ .id = 20, .worker = 1, .key = 1, .os = "linux", .bits = "64bit" }, 1000), 2);
	assert_int_equal(fg_project_cancel(farm->db, 1, 1000), FG_OK);
	recount(farm->db);
	assert_int_equal(fg_lease_beat(&go_on, farm->db, &(struct fg_beat){ .key = 1, .lease = 1002, .engine = "" }, 1000), FG_OK);
	assert_false(go_on);
}

static void
from_version_1(void **state)
{
	char              dir[] = "/tmp/farmgate-migrate-XXXXXX", path[128];
	struct fg_farm    farm;
	struct fg_project p;
	int               applied = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/state", dir);
	assert_int_equal(fg_fs_mkdirs(path, 0700), FG_OK);
	snprintf(path, sizeof(path), "%s/farmgate.conf", dir);
	assert_int_equal(fg_fs_replace(path, "\n", 1, 0600), FG_OK);
	assert_int_equal(fg_farm_open(&farm, path, FG_DB_EXCLUSIVE), FG_OK);
	run(farm.db, fg_migrations[0]);
	run(farm.db, work);
	assert_int_equal(fg_db_version(farm.db), 1);
	assert_int_equal(fg_db_migrate(farm.db, &applied), FG_OK);
	assert_int_equal(applied, fg_migrations_count - 1);
	assert_int_equal(fg_db_version(farm.db), fg_migrations_count);
	recount(farm.db);
	assert_int_equal(fg_project_get(&p, farm.db, 1), FG_OK);
	assert_int_equal(p.started_ms, 40);
	assert_int_equal(fg_project_get(&p, farm.db, 3), FG_OK);
	assert_int_equal(p.started_ms, 0);
	goes_on(&farm);
	fg_farm_close(&farm);
	fg_fs_remove_tree(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(from_version_1) };

	return cmocka_run_group_tests_name("migrate", tests, NULL, NULL);
}
