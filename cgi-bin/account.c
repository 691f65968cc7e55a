/* account: a worker's client ends its run. It ends worker sessions only; people log out at /api/login.
 *
 *   GET|POST /account.php?mode=logout&worker=1
 *   200  any text; the session is dead, its tasks wait again
 *   Protocol: doc/protocol.md#account    Test: tests/integration/protocol.py
 */
#include <string.h>

#include "http/endpoint.h"

enum { MODE, WORKER };

static const struct fg_param params[] = {
	[MODE]   = { "mode",   FG_PARAM_TEXT, .optional = true },
	[WORKER] = { "worker", FG_PARAM_TEXT, .optional = true },
};

static enum fg_err
account(struct fg_req *req)
{
	static const char bye[] = "The session has ended.\n";
	enum fg_err       err = FG_OK;

	if (strcmp(fg_req_text(req, MODE, ""), "logout") != 0)
		return fg_fail(FG_EINVAL, "this address only takes mode=logout");
	if (req->session != NULL)
		err = fg_session_end(req->db, req->session->id, req->now_ms);
	return err == FG_OK ? fg_http_send(req, 200, "text/plain; charset=utf-8", bye, sizeof(bye) - 1) : err;
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "account", .methods = FG_GET | FG_POST, .needs = FG_WORKER_SESSION_OPTIONAL,
		.params = params, .nparams = sizeof(params) / sizeof(*params), .handle = account,
	});
}
