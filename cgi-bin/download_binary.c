/* download_binary: the renderer of a live lease, as clients of 7.x ask for it.
 *
 *   GET|POST /server/download_binary.php   job
 *   200  the zip, sent by the web server      404  as download
 *   Protocol: doc/protocol.md#download    Test: tests/integration/protocol.py
 */
#include "http/archive_sender.h"

enum { JOB };

static const struct fg_param params[] = {
	[JOB] = { "job", FG_PARAM_INT, .min = FG_LEASE_ID_MIN, .max = INT32_MAX },
};

static enum fg_err
download_binary(struct fg_req *req)
{
	return fg_http_send_archive(req, fg_req_int(req, JOB, FG_NO_LEASE), "binary");
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "download_binary", .methods = FG_GET | FG_POST | FG_HEAD, .needs = FG_WORKER_SESSION,
		.params = params, .nparams = sizeof(params) / sizeof(*params), .handle = download_binary, .refuse = fg_http_no_archive,
	});
}
