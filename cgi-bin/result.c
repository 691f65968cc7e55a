/* result: what a project gave, for those who may look at it; link=SECRET as for the project.
 *
 *   GET|HEAD /results/ID/result.EXT   the video or still; any or no extension asks for the one there is, ?download=1 offers it to be saved
 *   GET|HEAD /results/ID/raw.zip      all frames or tiles as they were delivered
 *   GET|HEAD /results/ID/frames/F.EXT one frame, put together; any or no extension
 *   200, 206 the file, ranges served · 404 no such project of theirs, or not made yet
 *   Test: tests/integration/endpoints.py
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "farm/frame.h"
#include "http/endpoint.h"
#include "http/media_type.h"
#include "http/visible.h"

enum { DOWNLOAD, LINK };

static const struct fg_param params[] = {
	[DOWNLOAD] = { "download", FG_PARAM_INT, .optional = true, .loose = true, .min = 0, .max = 1 },
	[LINK]     = { "link", FG_PARAM_TEXT, .optional = true, .max = 64 },
};

/* `/results/ID/NAME` */
static bool
split(int64_t *id, const char **name, const char *path)
{
	static const char top[] = "/results/";

	if (strncmp(path, top, strlen(top)) != 0)
		return false;
	path += strlen(top);
	if (!fg_http_number(id, &path) || *path != '/')
		return false;
	*name = path + 1;
	return true;
}

static enum fg_err
send_result(struct fg_req *req, const struct fg_project *project, const char *ext)
{
	char name[FG_SPOOL_NAME], download[64];

	if (project->result[0] == '\0')
		return fg_fail(FG_ENOTFOUND, "project %" PRId64 " has no result yet", project->id);
	if (*ext != '\0' && strcmp(ext, project->result) != 0)
		return fg_fail(FG_ENOTFOUND, "the result of project %" PRId64 " is result.%s", project->id, project->result);
	fg_spool_result(name, project->id, project->result);
	snprintf(download, sizeof(download), "project-%" PRId64 ".%s", project->id, project->result);
	return fg_http_send_file(req, name, fg_http_type_of(project->result), fg_req_int(req, DOWNLOAD, 0) == 1 ? download : NULL);
}

static enum fg_err
send_raw(struct fg_req *req, const struct fg_project *project)
{
	char name[FG_SPOOL_NAME], download[64];

	if (!project->raw)
		return fg_fail(FG_ENOTFOUND, "the raw frames of project %" PRId64 " are not packed yet", project->id);
	fg_spool_raw(name, project->id);
	snprintf(download, sizeof(download), "project-%" PRId64 "-raw.zip", project->id);
	return fg_http_send_file(req, name, "application/zip", download);
}

static enum fg_err
send_frame(struct fg_req *req, const struct fg_project *project, const char *frame)
{
	char        name[FG_SPOOL_NAME], ext[16], download[64];
	int64_t     number;
	enum fg_err err;

	if (!fg_http_number(&number, &frame) || number > FG_FRAME_MAX || (*frame != '\0' && *frame != '.'))
		return fg_fail(FG_ENOTFOUND, "a frame is at frames/NUMBER");
	if ((err = fg_frame_file(name, ext, req->db, project, (int)number)) != FG_OK)
		return err;
	if (frame[0] == '.' && frame[1] != '\0' && strcmp(frame + 1, ext) != 0)
		return fg_fail(FG_ENOTFOUND, "the frames of project %" PRId64 " are .%s", project->id, ext);
	snprintf(download, sizeof(download), "project-%" PRId64 "-%04d.%s", project->id, (int)number, ext);
	return fg_http_send_file(req, name, fg_http_type_of(ext), fg_req_int(req, DOWNLOAD, 0) == 1 ? download : NULL);
}

static enum fg_err
result(struct fg_req *req)
{
	struct fg_project project;
	const char       *name;
	enum fg_access    may;
	int64_t           id;
	enum fg_err       err;

	if (!split(&id, &name, req->path))
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	if ((err = fg_http_project(&project, &may, req, id, fg_req_text(req, LINK, ""), FG_ACCESS_LOOK)) != FG_OK)
		return err;
	if (strcmp(name, "raw.zip") == 0)
		return send_raw(req, &project);
	if (strcmp(name, "result") == 0)
		return send_result(req, &project, "");
	if (strncmp(name, "result.", 7) == 0)
		return send_result(req, &project, name + 7);
	if (strncmp(name, "frames/", 7) == 0)
		return send_frame(req, &project, name + 7);
	return fg_fail(FG_ENOTFOUND, "a project has result, raw.zip and frames/FRAME");
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "result", .methods = FG_GET | FG_HEAD, .needs = FG_USER_OPTIONAL, .reads = FG_SCOPE_READ,
		.params = params, .nparams = sizeof(params) / sizeof(*params), .handle = result,
	});
}
