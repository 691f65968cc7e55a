#include "farm/farm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"

enum fg_err
fg_farm_open(struct fg_farm *out, const char *config, enum fg_db_mode mode)
{
	enum fg_err err;

	memset(out, 0, sizeof(*out));
	if (config == NULL && (config = getenv("FARMGATE_CONFIG")) == NULL)
		return fg_fail(FG_EINVAL, "name the settings file: --config FILE, --dir DIR or the environment variable FARMGATE_CONFIG");
	if (snprintf(out->config, sizeof(out->config), "%s", config) >= (int)sizeof(out->config))
		return fg_fail(FG_EINVAL, "the path %s is too long", config);
	if ((err = fg_settings_read(&out->settings, config)) != FG_OK ||
	    (err = fg_spool_open(&out->spool, out->settings.spool_dir)) != FG_OK ||
	    (err = fg_db_open(&out->db, out->settings.state_dir, mode)) != FG_OK)
		return err;
	return mode == FG_DB_SHARED ? fg_settings_load(&out->settings, out->db) : FG_OK;
}

void
fg_farm_close(struct fg_farm *farm)
{
	fg_db_close(farm->db);
	farm->db = NULL;
}

void
fg_farm_refresh(struct fg_farm *farm, int64_t now_ms)
{
	struct fg_settings fresh;

	if (now_ms - farm->refreshed_ms < 1000 && now_ms >= farm->refreshed_ms)
		return;
	farm->refreshed_ms = now_ms;
	if (fg_settings_read(&fresh, farm->config) == FG_OK && fg_settings_load(&fresh, farm->db) == FG_OK)
		farm->settings = fresh;
}

bool
fg_farm_full(const struct fg_farm *farm)
{
	static _Thread_local int64_t looked_ms, free_bytes;
	const int64_t                now_ms = fg_steady_ms();

	if (looked_ms == 0 || now_ms - looked_ms >= 1000) {
		looked_ms = now_ms;
		free_bytes = fg_spool_free_bytes(&farm->spool);
	}
	return free_bytes >= 0 && free_bytes < farm->settings.disk_reserve_bytes;
}
