#include "farm/access.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/random.h"
#include "farm/count.h"
#include "farm/event.h"

enum { MEMBERS_MAX = 200, MEMBERS_TEXT = MEMBERS_MAX * 21 };

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

/* The user whose name stands at `*at`; moves on to the next one. */
static enum fg_err
next_user(struct fg_user *out, const char **at, struct fg_db *db)
{
	const size_t len = strcspn(*at, " ,");
	char         text[128];
	enum fg_err  err;

	snprintf(text, sizeof(text), "%.*s", (int)(len < sizeof(text) ? len : sizeof(text) - 1), *at);
	*at += len;
	*at += strspn(*at, " ,");
	err = fg_user_find(out, db, text);
	return err == FG_ENOTFOUND ? fg_fail(FG_EINVAL, "there is no user %s", text) : err;
}

static enum fg_err
set_viewers(struct fg_db *db, int64_t project, const char *names)
{
	struct fg_user user;
	enum fg_err    err = fg_db_run(db, FG_SQL_VIEWER_FORGET, FG_BINDS(FG_I("project", project)), NULL);

	for (const char *at = names + strspn(names, " ,"); err == FG_OK && *at != '\0';)
		if ((err = next_user(&user, &at, db)) == FG_OK)
			err = fg_db_run(db, FG_SQL_VIEWER_ADD, FG_BINDS(FG_I("project", project), FG_I("user", user.id)), NULL);
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

static int
by_number(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static enum fg_err
named(int64_t *ids, int *count, struct fg_db *db, const char *names)
{
	struct fg_user user;
	enum fg_err    err = FG_OK;

	for (const char *at = names + strspn(names, " ,"); err == FG_OK && *at != '\0';) {
		if (*count == MEMBERS_MAX)
			return fg_fail(FG_EINVAL, "at most %d people can be named", MEMBERS_MAX);
		if ((err = next_user(&user, &at, db)) == FG_OK)
			ids[(*count)++] = user.id;
	}
	return err == FG_OK && *count == 0 ? fg_fail(FG_EINVAL, "workers are all, mine, or the names of their owners") : err;
}

/* The audience of these users: one row for each set of them. */
static enum fg_err
take_audience(int64_t *audience, struct fg_db *db, int64_t *ids, int count)
{
	char        members[MEMBERS_TEXT + 1];
	size_t      len = 0;
	enum fg_err err;

	qsort(ids, (size_t)count, sizeof(*ids), by_number);
	for (int i = 0; i < count; i++)
		if (i == 0 || ids[i] != ids[i - 1])
			len += (size_t)snprintf(members + len, sizeof(members) - len, "%s%" PRId64, i > 0 ? "," : "", ids[i]);
	err = fg_db_int(audience, db, FG_SQL_AUDIENCE_TAKE, FG_BINDS(FG_T("members", members)));
	for (int i = 0; err == FG_OK && i < count; i++)
		err = fg_db_run(db, FG_SQL_AUDIENCE_MEMBER, FG_BINDS(FG_I("user", ids[i]), FG_I("audience", *audience)), NULL);
	return err;
}

static enum fg_err
set_audience(struct fg_db *db, const struct fg_project *project, const char *workers)
{
	int64_t     ids[MEMBERS_MAX] = { project->owner }, audience = 0;
	int         count = 0;
	enum fg_err err = FG_OK;

	if (strcmp(workers, "mine") == 0)
		count = 1;
	else if (strcmp(workers, "all") != 0 && (err = named(ids, &count, db, workers)) != FG_OK)
		return err;
	if (count > 0 && (err = take_audience(&audience, db, ids, count)) != FG_OK)
		return err;
	if ((err = fg_db_run(db, FG_SQL_PROJECT_AUDIENCE, FG_BINDS(FG_I("project", project->id), FG_I("audience", audience)), NULL)) != FG_OK)
		return err;
	return strcmp(project->state, "active") == 0 ? fg_count_enqueue(db, project->id) : FG_OK;
}

enum fg_err
fg_access_set_workers(struct fg_db *db, int64_t id, const char *workers, int64_t now_ms)
{
	struct fg_project project;
	enum fg_err       err = fg_db_begin(db, FG_FULL);

	if (err != FG_OK)
		return err;
	if ((err = fg_project_get(&project, db, id)) == FG_OK && (err = set_audience(db, &project, workers)) == FG_OK)
		err = fg_event_add(db, id, "project.access", 0, 0, "", now_ms);
	return fg_db_end(db, err);
}

enum fg_err
fg_access_workers(bool *mine, struct fg_db *db, const struct fg_project *project, void (*each)(void *ctx, const char *name), void *ctx)
{
	char           members[MEMBERS_TEXT + 1] = "";
	struct fg_rows rows;
	struct fg_user user;
	enum fg_err    err;

	*mine = false;
	if (project->audience == 0)
		return FG_OK;
	err = fg_rows_first(&rows, db, FG_SQL_AUDIENCE_MEMBERS, FG_BINDS(FG_I("audience", project->audience)));
	if (err == FG_OK)
		fg_rows_copy(&rows, 0, members, sizeof(members));
	fg_rows_end(&rows);
	for (char *at = members; err == FG_OK && *at != '\0'; at += *at == ',') {
		const int64_t id = strtoll(at, &at, 10);

		*mine = id == project->owner && at - members == (ptrdiff_t)strlen(members) && strchr(members, ',') == NULL;
		if (fg_user_get(&user, db, id) == FG_OK) /* whoever has gone meanwhile is not told */
			each(ctx, user.name);
	}
	return err;
}
