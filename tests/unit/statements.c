/* statements: each one prepares against the migrated schema, and its plan walks no table, unless it says why it may. */
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
#include "store/db.h"

static void
plans_use_indexes(void **state)
{
	char          dir[] = "/tmp/farmgate-statements-XXXXXX";
	struct fg_db *db;
	int           walks = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(fg_db_open(&db, dir, FG_DB_EXCLUSIVE), FG_OK);
	assert_int_equal(fg_db_migrate(db, NULL), FG_OK);
	for (int i = 0; i < FG_SQL_COUNT; i++) {
		struct fg_buf plan = { 0 };
		bool          scan = false;

		if (fg_db_plan(&plan, db, (enum fg_sql)i) != FG_OK)
			fail_msg("%s: %s", fg_sql_texts[i].name, fg_err_text(FG_EIO));
		for (char *line = plan.data, *next; line != NULL && *line != '\0'; line = next) {
			next = strchr(line, '\n');
			*next++ = '\0';
			if ((strncmp(line, "SCAN", 4) == 0 && strstr(line, "CONSTANT ROW") == NULL && strstr(line, "(subquery") == NULL &&
			     strstr(line, "USING INDEX need_waiting") == NULL && strstr(line, "INDEX product_next") == NULL) ||
			    strstr(line, "TEMP B-TREE") != NULL)
				scan = true;
			if (scan && fg_sql_texts[i].scan[0] == '\0') {
				print_message("# %s: %s\n", fg_sql_texts[i].name, line);
				walks++;
				break;
			}
		}
		fg_buf_free(&plan);
	}
	fg_db_close(db);
	fg_fs_remove_tree(dir);
	assert_int_equal(walks, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(plans_use_indexes) };

	return cmocka_run_group_tests_name("statements", tests, NULL, NULL);
}
