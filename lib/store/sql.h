/* sql: every statement of the farm by name. Their texts stand in sql/ and nowhere else. */
#ifndef FG_STORE_SQL_H
#define FG_STORE_SQL_H

#include "statements.h"

struct fg_sql_text {
	const char *name, *scan, *text; /**< scan: why its plan may walk rows, "" when it may not */
};

extern const struct fg_sql_text fg_sql_texts[FG_SQL_COUNT];

#endif
