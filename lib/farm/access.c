#include "farm/access.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/random.h"
#include "farm/event.h"

static bool
same_secret(const char *a, const char *b)
{
	const size_t len = strlen(a);

	return len > 0 && len == strlen(b) && sodium_memcmp(a, b, len) == 0;
}

enum fg_err
fg_access_of(enum fg_access *out, struct fg_db *db, const struct fg_project *project, const struct fg_user *user, const char *link)
{
	int64_t     named = 0;
	enum fg_err err = FG_OK;

	*out = FG_ACCESS_NONE;
	if (user != NULL && (user->id == project->owner || (user->roles & FG_ROLE_ADMIN) != 0))
		*out = FG_ACCESS_CHANGE;
	else if ((user != NULL && strcmp(project->access, "everyone") == 0) || (strcmp(project->access, "link") == 0 && same_secret(project->link, link)))
		*out = FG_ACCESS_LOOK;
	else if (user != NULL && strcmp(project->access, "users") == 0 &&
	         (err = fg_db_int(&named, db, FG_SQL_PROJECT_VIEWER, FG_BINDS(FG_I("project", project->id), FG_I("user", user->id)))) == FG_OK && named > 0)
		*out = FG_ACCESS_LOOK;
	return err;
}

static enum fg_err
add_viewer(struct fg_db *db, int64_t project, const char *name, size_t len)
{
	struct fg_user user;
	char           text[128];
	enum fg_err    err;

	snprintf(text, sizeof(text), "%.*s", (int)(len < sizeof(text) ? len : sizeof(text) - 1), name);
	err = fg_user_find(&user, db, text);
	if (err != FG_OK)
		return err == FG_ENOTFOUND ? fg_fail(FG_EINVAL, "there is no user %s", text) : err;
	return fg_db_run(db, FG_SQL_VIEWER_ADD, FG_BINDS(FG_I("project", project), FG_I("user", user.id)), NULL);
}

static enum fg_err
set_viewers(struct fg_db *db, int64_t project, const char *names)
{
	enum fg_err err = fg_db_run(db, FG_SQL_VIEWER_FORGET, FG_BINDS(FG_I("project", project)), NULL);

	for (const char *at = names + strspn(names, " ,"); err == FG_OK && *at != '\0'; at += strspn(at, " ,")) {
		const size_t len = strcspn(at, " ,");

		err = add_viewer(db, project, at, len);
		at += len;
	}
	return err;
}

enum fg_err
fg_access_set(struct fg_db *db, int64_t project, const char *access, const char *viewers, int64_t now_ms)
{
	static const char *const all[] = { "private", "link", "users", "everyone" };
	char                     link[65] = "";
	bool                     known = false;
	enum fg_err              err;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		known = known || strcmp(all[i], access) == 0;
	if (!known)
		return fg_fail(FG_EINVAL, "access is private, link, users or everyone");
	if (strcmp(access, "link") == 0)
		fg_random_hex(link, 32);
	if ((err = fg_db_begin(db, FG_FULL)) != FG_OK)
		return err;
	if ((err = set_viewers(db, project, strcmp(access, "users") == 0 ? viewers : "")) == FG_OK &&
	    (err = fg_db_run(db, FG_SQL_PROJECT_ACCESS, FG_BINDS(FG_I("project", project), FG_T("access", access), FG_T("link", link)), NULL)) == FG_OK)
		err = fg_event_add(db, project, "project.access", 0, 0, "", now_ms);
	return fg_db_end(db, err);
}

enum fg_err
fg_access_viewers(struct fg_db *db, int64_t project, void (*each)(void *ctx, const char *name), void *ctx)
{
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_VIEWER_LIST, FG_BINDS(FG_I("project", project))); err == FG_OK; err = fg_rows_next(&rows))
		each(ctx, fg_rows_text(&rows, 0));
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}
