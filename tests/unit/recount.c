#include "recount.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
count_row(void *ctx, int columns, char **values, char **names)
{
	(void)columns, (void)names;
	*(int *)ctx += 1;
	print_message("# recount differs: %s\n", values[0]);
}

void
recount(struct fg_db *db)
{
	static const char *const checks[] = {
		"SELECT 'project ' || id FROM project p WHERE waiting <> (SELECT count(*) FROM task WHERE project = p.id AND state = 'waiting')"
		" OR running <> (SELECT count(*) FROM task WHERE project = p.id AND state = 'leased')"
		" OR done <> (SELECT count(*) FROM task WHERE project = p.id AND state = 'done')",
		"SELECT 'open project ' || id FROM project WHERE open <> (state = 'active' AND queue IS NOT NULL AND waiting > 0)",
		"SELECT 'project that was lent and never started ' || id FROM project p WHERE started_ms = 0 AND EXISTS (SELECT 1 FROM lease WHERE project = p.id)",
		"SELECT 'queue ' || id FROM queue q WHERE projects <> (SELECT count(*) FROM project WHERE queue = q.id AND open = 1)",
		"SELECT 'need ' || id FROM need n WHERE queues <> (SELECT count(*) FROM queue WHERE need = n.id AND projects > 0)",
		"SELECT 'user ' || id FROM user u WHERE running <> (SELECT coalesce(sum(running), 0) FROM project WHERE owner = u.id)",
		"SELECT 'load of user ' || id FROM user WHERE load <> running * 1000000 / weight",
		"SELECT 'head of queue ' || q.id FROM queue q WHERE q.projects > 0 AND (q.project, q.priority) <> (SELECT p.id, p.priority FROM project p"
		" WHERE p.queue = q.id AND p.open = 1 ORDER BY p.priority DESC, p.id LIMIT 1)",
		"SELECT 'turn of queue ' || queue FROM turn t WHERE NOT EXISTS (SELECT 1 FROM queue q JOIN user u ON u.id = q.owner WHERE q.id = t.queue AND q.projects > 0"
		" AND q.need = t.need AND u.load = t.load AND q.priority = t.priority AND q.project = t.project)",
		"SELECT 'queue without its turn ' || id FROM queue q WHERE (projects > 0) <> (SELECT count(*) FROM turn WHERE queue = q.id)",
		"SELECT 'ended lease ' || id FROM lease WHERE (state = 'live') <> (ended_ms = 0)",
		"SELECT 'lease ' || id FROM lease l WHERE state = 'live' AND NOT EXISTS (SELECT 1 FROM task WHERE id = l.task AND holder = l.id AND state = 'leased')",
	};
	int differ = 0;

	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		assert_int_equal(fg_db_shell(db, checks[i], count_row, &differ), FG_OK);
	assert_int_equal(differ, 0);
}
