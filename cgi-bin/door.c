/* door: the web server asks here, by the head of a request alone, before it keeps a large body: does somebody send it whom the farm knows?
 *
 *   the head of a POST to /server/send_frame.php or /server/error.php: the cookie of a live worker session
 *   the head of a POST to the other farm's listener (port compat_2254_port): an address that is open, to a worker for /api/finishjob,
 *   to a person for /form/uploadproject
 *   200  known · 403  a stranger; what they hear then is the web server's configuration's to say (nginx/farmgate.conf.in)
 *   Bodies below 300 kB are not asked about. It has no address of its own.
 *   What it protects: doc/security.md#bodies-of-strangers    Test: tests/integration/strangers.py
 */
#include <stdlib.h>
#include <string.h>

#include "farm/door.h"
#include "http/endpoint.h"

static bool
is_other_farm(const struct fg_req *req)
{
	return req->settings->compat_2254 && strtoll(fg_req_header(req, "SERVER_PORT"), NULL, 10) == req->settings->compat_2254_port;
}

static enum fg_err
find_address(struct fg_req *req)
{
	struct fg_user user;

	if (strcmp(req->path, "/api/finishjob") == 0)
		return fg_door_find(&user, req->db, FG_DOOR_WORKER, req->address, req->now_ms);
	if (strcmp(req->path, "/form/uploadproject") == 0)
		return fg_door_find(&user, req->db, FG_DOOR_PERSON, req->address, req->now_ms);
	return FG_EAUTH;
}

static enum fg_err
door(struct fg_req *req)
{
	enum fg_err err = FG_EAUTH;

	if (is_other_farm(req))
		err = find_address(req);
	else if (req->session != NULL)
		err = FG_OK;
	if (err == FG_OK || err == FG_EAUTH)
		return fg_http_empty(req, err == FG_OK ? 200 : 403);
	return err;
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "door", .methods = FG_GET | FG_POST | FG_HEAD | FG_PATCH | FG_DELETE | FG_OPTIONS | FG_PUT, .needs = FG_WORKER_SESSION_OPTIONAL,
		.body = FG_BODY_RAW, .handle = door,
	});
}
