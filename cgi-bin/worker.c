/* worker: the machines that render here: looked at, named, tagged, sent to sleep, set aside and allowed again.
 *
 *   GET  /api/workers             {workers: […], next} those that are here, by id; all=1 those of the last 30 days too; after=ID limit=N (500, at most 1000)
 *   GET  /api/workers/ID          one of them, with its log (newest 500) for its owner and admins; 403 for others
 *   POST /api/workers/ID/aside    why, seconds (until allowed again when not said)     /allow     /rename name     /tags tags
 *                        /sleep   from, to (22:00, 06:00), zone (Europe/Berlin); all empty: it never sleeps
 *   Its owner and admins may do these; what an admin or the farm itself set aside, admins alone allow again.
 *   Protocol: doc/protocol.md#workers    Test: tests/integration/workers.py
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "farm/audit.h"
#include "farm/worker_view.h"
#include "http/endpoint.h"
#include "http/visible.h"

enum { ALL, AFTER, LIMIT, WHY, SECONDS, NAME, TAGS, FROM, TO, ZONE, NPARAMS };
enum { LIMIT_USUAL = 500, LIMIT_MOST = 1000 };

static const int64_t MONTH_MS = INT64_C(30) * 24 * 60 * 60 * 1000, FOR_EVER_MS = INT64_C(253402300799000);

static const struct fg_param params[NPARAMS] = {
	[ALL]     = { "all",     FG_PARAM_INT, .optional = true, .min = 0, .max = 1 },
	[AFTER]   = { "after",   FG_PARAM_INT, .optional = true, .min = 0, .max = INT64_MAX },
	[LIMIT]   = { "limit",   FG_PARAM_INT, .optional = true, .min = 1, .max = LIMIT_MOST },
	[WHY]     = { "why",     FG_PARAM_TEXT, .optional = true, .max = 250 },
	[SECONDS] = { "seconds", FG_PARAM_INT, .optional = true, .min = 1, .max = 315360000 },
	[NAME]    = { "name",    FG_PARAM_TEXT, .optional = true },
	[TAGS]    = { "tags",    FG_PARAM_TEXT, .optional = true },
	[FROM]    = { "from",    FG_PARAM_TEXT, .optional = true, .max = 5 },
	[TO]      = { "to",      FG_PARAM_TEXT, .optional = true, .max = 5 },
	[ZONE]    = { "zone",    FG_PARAM_TEXT, .optional = true, .max = FG_ZONE_NAME - 1 },
};

/** A page of machines on its way out. */
struct page {
	struct fg_req *req;
	json_object   *workers;
	int64_t        last;
	int            count, limit;
};

static bool
add_to_page(void *ctx, const struct fg_worker *worker)
{
	struct page *page = ctx;

	if (page->count++ == page->limit)
		return false; /* one more than wanted: there is a next page */
	page->last = worker->id;
	json_object_array_add(page->workers, fg_worker_view(worker, page->req->db, page->req->user, page->req->now_ms));
	return true;
}

static enum fg_err
list(struct fg_req *req)
{
	json_object *out = json_object_new_object();
	struct page  page = { .req = req, .workers = json_object_new_array(), .limit = (int)fg_req_int(req, LIMIT, LIMIT_USUAL) };
	enum fg_err  err = fg_worker_list(req->db, req->settings,
	                                  &(struct fg_worker_query){ .after = fg_req_int(req, AFTER, 0), .since_ms = req->now_ms - MONTH_MS,
	                                                             .here = fg_req_int(req, ALL, 0) == 0, .limit = page.limit + 1 },
	                                  req->now_ms, add_to_page, &page);

	json_object_object_add(out, "workers", page.workers);
	json_object_object_add(out, "next", page.count > page.limit ? json_object_new_int64(page.last) : NULL);
	if (err == FG_OK)
		return fg_http_json(req, 200, out);
	json_object_put(out);
	return err;
}

static bool
is_admin(const struct fg_req *req)
{
	return (req->user->roles & FG_ROLE_ADMIN) != 0;
}

static enum fg_err
show(struct fg_req *req, int64_t id)
{
	struct fg_worker worker;
	json_object     *out;
	enum fg_err      err = fg_worker_get(&worker, req->db, req->settings, id, req->now_ms);

	if (err != FG_OK)
		return err;
	out = fg_worker_view(&worker, req->db, req->user, req->now_ms);
	json_object_object_add(out, "log", fg_worker_log(req->db, id));
	return fg_http_json(req, 200, out);
}

/* Set aside by somebody else, or disabled: admins alone undo it, and nobody else writes over it. */
static enum fg_err
check_aside(const struct fg_req *req, const struct fg_worker *worker)
{
	if (is_admin(req) || (!worker->disabled && (worker->aside_until_ms <= req->now_ms || worker->aside_by == req->user->id)))
		return FG_OK;
	return fg_fail(FG_EFORBIDDEN, "%s was %s; the farm's admin can allow it again", worker->name,
	               worker->disabled ? "disabled" : worker->aside_by != 0 ? "set aside by an admin" : "set aside because its tasks failed");
}

static enum fg_err
set_aside(struct fg_req *req, const struct fg_worker *worker)
{
	const int64_t seconds = fg_req_int(req, SECONDS, 0);
	enum fg_err   err = check_aside(req, worker);

	return err != FG_OK ? err
	                    : fg_worker_aside(req->db, worker->id, seconds > 0 ? req->now_ms + seconds * 1000 : FOR_EVER_MS,
	                                      fg_req_text(req, WHY, is_admin(req) ? "by an admin" : "by its owner"), req->user->id, req->now_ms);
}

static enum fg_err
allow(struct fg_req *req, const struct fg_worker *worker)
{
	enum fg_err err = check_aside(req, worker);

	return err == FG_OK ? fg_worker_disable(req->db, worker->id, false, req->now_ms) : err;
}

static enum fg_err
rename_it(struct fg_req *req, const struct fg_worker *worker)
{
	return fg_worker_rename(req->db, worker->id, fg_req_text(req, NAME, ""));
}

static enum fg_err
tag(struct fg_req *req, const struct fg_worker *worker)
{
	return fg_worker_tag(req->db, worker->id, fg_req_text(req, TAGS, ""));
}

static enum fg_err
send_to_sleep(struct fg_req *req, const struct fg_worker *worker)
{
	struct fg_sleep sleep;
	enum fg_err     err = fg_sleep_parse(&sleep, fg_req_text(req, FROM, ""), fg_req_text(req, TO, ""), fg_req_text(req, ZONE, ""));

	return err == FG_OK ? fg_worker_sleep(req->db, worker->id, &sleep) : err;
}

static enum fg_err
act(struct fg_req *req, const struct fg_worker *worker, const char *action)
{
	static const struct {
		const char *name;
		enum fg_err (*act)(struct fg_req *req, const struct fg_worker *worker);
	} actions[] = { { "aside", set_aside }, { "allow", allow }, { "rename", rename_it }, { "tags", tag }, { "sleep", send_to_sleep } };
	char        name[32], detail[300];
	enum fg_err err;

	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (strcmp(actions[i].name, action) != 0)
			continue;
		if ((err = actions[i].act(req, worker)) != FG_OK)
			return err;
		snprintf(name, sizeof(name), "worker.%s", action);
		snprintf(detail, sizeof(detail), "%" PRId64 " %s", worker->id, worker->name);
		if (worker->owner != req->user->id && (err = fg_audit_add(req->db, req->user->id, name, detail, req->now_ms)) != FG_OK)
			return err;
		return show(req, worker->id);
	}
	return fg_fail(FG_ENOTFOUND, "a worker can be told aside, allow, rename, tags or sleep");
}

static enum fg_err
one(struct fg_req *req, const char *rest)
{
	struct fg_worker worker;
	int64_t          id;
	enum fg_err      err;

	if (!fg_http_number(&id, &rest) || (*rest != '\0' && *rest != '/'))
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	if ((err = fg_worker_get(&worker, req->db, req->settings, id, req->now_ms)) != FG_OK)
		return err;
	if (!is_admin(req) && worker.owner != req->user->id)
		return fg_fail(FG_EFORBIDDEN, "%s is %s's: its log and its settings are theirs", worker.name, worker.user);
	if (req->method_bit == FG_GET)
		return *rest == '\0' ? show(req, id) : fg_fail(FG_EMETHOD, "actions are POSTs");
	return *rest == '/' ? act(req, &worker, rest + 1) : fg_fail(FG_EMETHOD, "name what to do: /api/workers/ID/ACTION");
}

static enum fg_err
worker(struct fg_req *req)
{
	if (strncmp(req->path, "/api/workers/", 13) == 0)
		return one(req, req->path + 13);
	if (strcmp(req->path, "/api/workers") != 0)
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	return req->method_bit == FG_GET ? list(req) : fg_fail(FG_EMETHOD, "name a worker: /api/workers/ID/ACTION");
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "worker", .methods = FG_GET | FG_POST, .needs = FG_USER, .reads = FG_SCOPE_READ, .params = params, .nparams = NPARAMS, .handle = worker,
	});
}
