#include "http/archive_sender.h"

#include <string.h>

enum fg_err
fg_http_send_archive(struct fg_req *req, int64_t id, const char *type)
{
	struct fg_lease lease;
	char            name[FG_SPOOL_NAME];
	enum fg_err     err;

	if ((err = fg_lease_find(&lease, req->db, id, req->session->key)) != FG_OK)
		return err;
	if (!lease.live)
		return fg_fail(FG_ENOTFOUND, "this job has ended");
	if (strcmp(type, "binary") == 0)
		fg_spool_renderer(name, lease.renderer_md5);
	else if (strcmp(type, "job") == 0)
		fg_spool_source(name, lease.project);
	else
		return fg_fail(FG_ENOTFOUND, "the type is binary or job");
	return fg_http_send_file(req, name, "application/zip", NULL);
}

enum fg_err
fg_http_no_archive(struct fg_req *req, enum fg_err err, int param)
{
	static const char text[] = "There is nothing to download here.\n";

	(void)param;
	if (err == FG_EIO || err == FG_EBUSY)
		return fg_http_error(req, err);
	return fg_http_send(req, 404, "text/plain; charset=utf-8", text, sizeof(text) - 1);
}
