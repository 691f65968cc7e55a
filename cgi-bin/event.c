/* event: what changed, for pages that want to stay true without asking for everything again.
 *
 *   GET /api/events                 {events: [], last, lent}: where the feed is now
 *   GET /api/events?after=ID        {events: [{id, at_ms, project, kind, task, lease, detail}], last, lent}: what came since, as far as the viewer may
 *                                   see it; project=ID of one project alone; at most 500, `last` says where to go on
 *   {reset: true, last, lent}       `after` is older than what is kept (a day): read the lists anew
 *   lent is the newest lease: lendings make no events, but it moves when something was lent. The answer comes at once; nobody is held.
 *   Protocol: doc/protocol.md#events    Test: tests/integration/portal.py
 */
#include <json-c/json.h>

#include "farm/event.h"
#include "http/endpoint.h"

enum { AFTER, PROJECT };
enum { EVENTS_MOST = 500 };

static const struct fg_param params[] = {
	[AFTER]   = { "after",   FG_PARAM_INT, .optional = true, .min = 0, .max = INT64_MAX / 2 },
	[PROJECT] = { "project", FG_PARAM_INT, .optional = true, .min = 1, .max = INT64_MAX },
};

static void
add(void *ctx, const struct fg_event *event)
{
	json_object *out = json_object_new_object();

	json_object_object_add(out, "id", json_object_new_int64(event->id));
	json_object_object_add(out, "at_ms", json_object_new_int64(event->at_ms));
	json_object_object_add(out, "project", json_object_new_int64(event->project));
	json_object_object_add(out, "kind", json_object_new_string(event->kind));
	json_object_object_add(out, "task", json_object_new_int64(event->task));
	json_object_object_add(out, "lease", json_object_new_int64(event->lease));
	json_object_object_add(out, "detail", json_object_new_string(event->detail));
	json_object_array_add(ctx, out);
}

static enum fg_err
event(struct fg_req *req)
{
	const int64_t user = (req->user->roles & FG_ROLE_ADMIN) != 0 ? 0 : req->user->id, after = fg_req_int(req, AFTER, -1);
	json_object  *out = json_object_new_object(), *events = json_object_new_array();
	int64_t       last = 0, lent = 0;
	bool          reset = false;
	enum fg_err   err;

	json_object_object_add(out, "events", events);
	err = after < 0 ? fg_event_last(&last, req->db) : fg_event_list(&last, &reset, req->db, after, user, fg_req_int(req, PROJECT, 0), EVENTS_MOST, add, events);
	if (err == FG_OK)
		err = fg_event_lent(&lent, req->db);
	if (err != FG_OK) {
		json_object_put(out);
		return err;
	}
	if (reset)
		json_object_object_add(out, "reset", json_object_new_boolean(true));
	json_object_object_add(out, "last", json_object_new_int64(last));
	json_object_object_add(out, "lent", json_object_new_int64(lent));
	return fg_http_json(req, 200, out);
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "event", .methods = FG_GET, .needs = FG_USER, .reads = FG_SCOPE_READ,
		.params = params, .nparams = sizeof(params) / sizeof(*params), .handle = event,
	});
}
