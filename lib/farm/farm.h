/* farm: what every program holds open: settings, state and spool. */
#ifndef FG_FARM_FARM_H
#define FG_FARM_FARM_H

#include "farm/settings.h"
#include "store/db.h"
#include "store/spool.h"

struct fg_farm {
	struct fg_settings settings; /**< as of the last refresh */
	struct fg_db      *db;
	struct fg_spool    spool;
	char               config[PATH_MAX];
	int64_t            refreshed_ms;
};

/** Open the farm whose settings file is `config`; NULL takes $FARMGATE_CONFIG. Close with fg_farm_close, also after a failure. */
enum fg_err fg_farm_open(struct fg_farm *out, const char *config, enum fg_db_mode mode);
void        fg_farm_close(struct fg_farm *farm);

/** Take over settings that changed; looks at most once a second. */
void fg_farm_refresh(struct fg_farm *farm, int64_t now_ms);

/** Is there less free disk than the reserve? Then nothing is lent or uploaded. Looks at most once a second. */
bool fg_farm_full(const struct fg_farm *farm);

#endif
