#include "farm/project_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "farm/ask.h"
#include "farm/project_json.h"
#include "farm/summary.h"
#include "text/json_put.h"

/* Thousandths of the result that is being made; the zip comes after it. */
static int64_t
composing(struct fg_db *db, int64_t project, json_object *products)
{
	struct fg_rows rows;
	int64_t        progress = 0;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_PRODUCT_LAST, FG_BINDS(FG_I("project", project))); err == FG_OK; err = fg_rows_next(&rows)) {
		if (strcmp(fg_rows_text(&rows, 0), "result") == 0)
			progress = fg_rows_int(&rows, 2);
		if (products != NULL) {
			json_object *one = json_object_new_object();

			fg_put_text(one, "kind", fg_rows_text(&rows, 0));
			fg_put_text(one, "state", fg_rows_text(&rows, 1));
			fg_put_int(one, "progress", fg_rows_int(&rows, 2));
			fg_put_text(one, "why", fg_rows_text(&rows, 3));
			json_object_array_add(products, one);
		}
	}
	fg_rows_end(&rows);
	return progress;
}

static json_object *
view(const struct fg_project *p, const struct fg_user *user, enum fg_access may)
{
	json_object  *out = fg_project_json(p, NULL);
	const int64_t left_ms = fg_summary_left_ms(p);
	char          cover[64];

	snprintf(cover, sizeof(cover), "/api/preview/%" PRId64, p->id);
	fg_put_int(out, "size", p->archive_size + p->tile_bytes + p->made_bytes);
	fg_put_text(out, "thumbnail", cover);
	json_object_object_add(out, "left_ms", left_ms >= 0 ? json_object_new_int64(left_ms) : NULL);
	json_object_object_add(out, "mine", json_object_new_boolean(user != NULL && user->id == p->owner));
	json_object_object_add(out, "may_change", json_object_new_boolean(may == FG_ACCESS_CHANGE));
	fg_put_text(out, "access", p->access);
	return out;
}

json_object *
fg_project_view(const struct fg_project *p, struct fg_db *db, const struct fg_user *user, enum fg_access may)
{
	json_object *out = view(p, user, may);

	fg_put_int(out, "composing", strcmp(p->state, "composing") == 0 ? composing(db, p->id, NULL) : 0);
	return out;
}

static void
add_name(void *ctx, const char *name)
{
	json_object_array_add(ctx, json_object_new_string(name));
}

json_object *
fg_project_view_whole(const struct fg_project *p, struct fg_db *db, const struct fg_settings *settings, const struct fg_user *user, enum fg_access may,
                      int64_t now_ms)
{
	json_object  *out = view(p, user, may), *products = json_object_new_array(), *viewers = json_object_new_array(), *workers = json_object_new_array();
	bool          mine = false;
	int64_t       next_ms = 0;
	struct fg_buf sentence = { 0 }, link = { 0 };

	fg_ask_next(&next_ms, db, p, now_ms);
	json_object_object_add(out, "next_ask_ms", next_ms > 0 ? json_object_new_int64(next_ms) : NULL);
	fg_put_int(out, "composing", composing(db, p->id, products));
	json_object_object_add(out, "products", products);
	fg_summary_said(&sentence, p, db);
	fg_put_text(out, "summary", fg_buf_text(&sentence));
	if (may == FG_ACCESS_CHANGE) {
		fg_access_viewers(db, p->id, add_name, viewers);
		fg_access_workers(&mine, db, p, add_name, workers);
		fg_buf_printf(&link, "%s/project?id=%" PRId64 "&link=%s", settings->public_url, p->id, p->link);
	}
	json_object_object_add(out, "viewers", viewers);
	if (p->audience == 0 || mine) {
		json_object_put(workers);
		workers = json_object_new_string(mine ? "mine" : "all");
	}
	json_object_object_add(out, "workers", workers);
	json_object_object_add(out, "link", may == FG_ACCESS_CHANGE && p->link[0] != '\0' ? json_object_new_string(fg_buf_text(&link)) : NULL);
	fg_buf_free(&sentence);
	fg_buf_free(&link);
	return out;
}
