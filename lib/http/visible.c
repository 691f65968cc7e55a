#include "http/visible.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum fg_err
fg_http_project(struct fg_project *out, enum fg_access *may, struct fg_req *req, int64_t id, const char *link, enum fg_access need)
{
	enum fg_access access = FG_ACCESS_NONE;
	enum fg_err    err = fg_project_get(out, req->db, id);

	if (err == FG_OK)
		err = fg_access_of(&access, req->db, out, req->user, link);
	if (err != FG_OK && err != FG_ENOTFOUND)
		return err;
	*may = access;
	if (access == FG_ACCESS_NONE && req->user == NULL)
		return FG_EAUTH;
	if (err == FG_ENOTFOUND || access == FG_ACCESS_NONE)
		return fg_fail(FG_ENOTFOUND, "there is no project %" PRId64 " that you may see", id);
	if (access < need)
		return req->user == NULL ? FG_EAUTH : fg_fail(FG_EFORBIDDEN, "project %" PRId64 " is %s's: you may look at it, not change it", id, out->owner_name);
	return FG_OK;
}

bool
fg_http_number(int64_t *out, const char **at)
{
	const size_t digits = strspn(*at, "0123456789");

	if (digits == 0 || digits > 18)
		return false;
	*out = strtoll(*at, NULL, 10);
	*at += digits;
	return true;
}
