/* preview: a small picture of a frame.
 *
 *   GET|HEAD /api/preview/ID/FRAME   the JPEG that the compositor made
 *   404 while there is none, or for a project of somebody else
 *   Protocol: doc/protocol.md#preview    Test: tests/integration/upload.py
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "farm/project.h"
#include "http/endpoint.h"

static bool
parse(int64_t *id, int *frame, const char *path)
{
	char *end;
	long  number;

	if (strncmp(path, "/api/preview/", 13) != 0 || path[13] < '1' || path[13] > '9')
		return false;
	*id = strtoll(path + 13, &end, 10);
	if (end[0] != '/' || end[1] < '0' || end[1] > '9')
		return false;
	number = strtol(end + 1, &end, 10);
	*frame = (int)number;
	return *end == '\0' && number <= FG_FRAME_MAX;
}

static enum fg_err
preview(struct fg_req *req)
{
	struct fg_project project;
	char              name[FG_SPOOL_NAME];
	int64_t           id;
	int               frame;
	enum fg_err       err;

	if (!parse(&id, &frame, req->path))
		return fg_fail(FG_ENOTFOUND, "a preview is at /api/preview/PROJECT/FRAME");
	err = fg_project_get(&project, req->db, id);
	if (err == FG_OK && project.owner != req->user->id && (req->user->roles & FG_ROLE_ADMIN) == 0)
		err = FG_ENOTFOUND;
	if (err != FG_OK)
		return err == FG_ENOTFOUND ? fg_fail(FG_ENOTFOUND, "there is no project %" PRId64 " of yours", id) : err;
	fg_spool_preview(name, id, frame);
	fg_http_header(req, "Cache-Control", "private, no-cache");
	return fg_http_send_file(req, name, "image/jpeg", NULL);
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "preview", .methods = FG_GET | FG_HEAD, .needs = FG_USER, .handle = preview,
	});
}
