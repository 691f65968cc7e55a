/* download_chunk: a piece of the scene of a live lease, as clients of 7.x ask for it. Our scenes are one chunk each, named by their MD5.
 *
 *   GET|POST /server/download_chunk.php   chunk
 *   200  the zip, sent by the web server      404  as download
 *   Protocol: doc/protocol.md#download    Test: tests/integration/protocol.py
 */
#include <string.h>

#include "http/archive_sender.h"

enum { CHUNK };

static const struct fg_param params[] = {
	[CHUNK] = { "chunk", FG_PARAM_TEXT, .max = 32 },
};

static enum fg_err
download_chunk(struct fg_req *req)
{
	int64_t     lease = FG_NO_LEASE;
	enum fg_err err = fg_db_int(&lease, req->db, FG_SQL_LEASE_OF_ARCHIVE, FG_BINDS(FG_I("session", req->session->id), FG_T("md5", fg_req_text(req, CHUNK, ""))));

	return err == FG_OK ? fg_http_send_archive(req, lease, "job") : err;
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "download_chunk", .methods = FG_GET | FG_POST | FG_HEAD, .needs = FG_WORKER_SESSION,
		.params = params, .nparams = sizeof(params) / sizeof(*params), .handle = download_chunk, .refuse = fg_http_no_archive,
	});
}
