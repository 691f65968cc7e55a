/* download: the renderer or the scene that a live lease of the same worker key needs, and nothing else.
 *
 *   GET|POST /server/download.php   type=binary|job, job, revision (0)
 *   200  the zip, sent by the web server
 *   404  unknown job or type, no live lease of this key, another revision, dead session
 *   Protocol: doc/protocol.md#download    Test: tests/integration/protocol.py
 */
#include "http/archive_sender.h"

enum { TYPE, JOB, REVISION };

static const struct fg_param params[] = {
	[TYPE]     = { "type",     FG_PARAM_TEXT, .max = 15 },
	[JOB]      = { "job",      FG_PARAM_INT, .min = FG_LEASE_ID_MIN, .max = INT32_MAX },
	[REVISION] = { "revision", FG_PARAM_INT, .optional = true, .max = 0 },
};

static enum fg_err
download(struct fg_req *req)
{
	return fg_http_send_archive(req, fg_req_int(req, JOB, FG_NO_LEASE), fg_req_text(req, TYPE, ""));
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "download", .methods = FG_GET | FG_POST | FG_HEAD, .needs = FG_WORKER_SESSION,
		.params = params, .nparams = sizeof(params) / sizeof(*params), .handle = download, .refuse = fg_http_no_archive,
	});
}
