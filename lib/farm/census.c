#include "farm/census.h"

static const int64_t FRESH_MS = 30000, ONLINE_MS = 30 * 60 * 1000;

void
fg_census_take(struct fg_census *census, struct fg_db *db, int64_t now_ms)
{
	struct fg_rows rows;

	if (census->at_ms != 0 && now_ms - census->at_ms < FRESH_MS && now_ms >= census->at_ms)
		return;
	if (fg_rows_first(&rows, db, FG_SQL_CENSUS, FG_BINDS(FG_I("since_ms", now_ms - ONLINE_MS))) == FG_OK)
		*census = (struct fg_census){ fg_rows_int(&rows, 0), fg_rows_int(&rows, 1), fg_rows_int(&rows, 2), now_ms };
	fg_rows_end(&rows);
}
