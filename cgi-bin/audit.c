/* audit: what people with power did. Admins read it; nobody changes it.
 *
 *   GET /api/audits   {audits: [{id, at_ms, user, name, action, detail}], next} newest first; before=ID limit=N (100, at most 500)
 *                     user 0: at the host's command line
 *   Protocol: doc/protocol.md#accounts    Test: tests/integration/people.py
 */
#include <string.h>

#include <json-c/json.h>

#include "farm/audit.h"
#include "http/endpoint.h"

enum { BEFORE, LIMIT };
enum { LIMIT_USUAL = 100, LIMIT_MOST = 500 };

static const struct fg_param params[] = {
	[BEFORE] = { "before", FG_PARAM_INT, .optional = true, .min = 1, .max = INT64_MAX },
	[LIMIT]  = { "limit",  FG_PARAM_INT, .optional = true, .min = 1, .max = LIMIT_MOST },
};

struct page {
	json_object *audits;
	int64_t      last;
	int          count, limit;
};

static bool
add_to_page(void *ctx, const struct fg_audit *audit)
{
	struct page *page = ctx;
	json_object *row;

	if (page->count++ == page->limit)
		return false; /* one more than wanted: there is a next page */
	page->last = audit->id;
	row = json_object_new_object();
	json_object_object_add(row, "id", json_object_new_int64(audit->id));
	json_object_object_add(row, "at_ms", json_object_new_int64(audit->at_ms));
	json_object_object_add(row, "user", json_object_new_int64(audit->user));
	json_object_object_add(row, "name", json_object_new_string(audit->name));
	json_object_object_add(row, "action", json_object_new_string(audit->action));
	json_object_object_add(row, "detail", json_object_new_string(audit->detail));
	return json_object_array_add(page->audits, row) == 0;
}

static enum fg_err
audits(struct fg_req *req)
{
	struct page  page = { .limit = (int)fg_req_int(req, LIMIT, LIMIT_USUAL) };
	json_object *out;
	enum fg_err  err;

	if (strcmp(req->path, "/api/audits") != 0)
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	if ((req->user->roles & FG_ROLE_ADMIN) == 0)
		return fg_fail(FG_EFORBIDDEN, "only admins read the audit log");
	out = json_object_new_object();
	page.audits = json_object_new_array();
	json_object_object_add(out, "audits", page.audits);
	if ((err = fg_audit_list(req->db, fg_req_int(req, BEFORE, 0), page.limit + 1, add_to_page, &page)) != FG_OK) {
		json_object_put(out);
		return err;
	}
	json_object_object_add(out, "next", page.count > page.limit ? json_object_new_int64(page.last) : NULL);
	return fg_http_json(req, 200, out);
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "audit", .methods = FG_GET, .needs = FG_USER, .params = params, .nparams = sizeof(params) / sizeof(*params), .handle = audits,
	});
}
