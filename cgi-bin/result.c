/* result: what a project gave, for its owner and for admins.
 *
 *   GET|HEAD /results/ID/result.EXT   the video or still; any or no extension asks for the one there is, ?download=1 offers it to be saved
 *   GET|HEAD /results/ID/raw.zip      all frames or tiles as they were delivered
 *   200, 206 the file, ranges served · 404 no such project of theirs, or not made yet
 *   Test: tests/integration/endpoints.py
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "farm/project.h"
#include "http/endpoint.h"

enum { DOWNLOAD };

static const struct fg_param params[] = {
	[DOWNLOAD] = { "download", FG_PARAM_INT, .optional = true, .loose = true, .min = 0, .max = 1 },
};

static const struct {
	const char *ext, *type;
} types[] = {
	{ "mp4", "video/mp4" }, { "png", "image/png" }, { "jpg", "image/jpeg" }, { "exr", "image/x-exr" }, { "tga", "image/x-tga" }, { "bmp", "image/bmp" },
};

static const char *
type_of(const char *ext)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(types[i].ext, ext) == 0)
			return types[i].type;
	return "application/octet-stream";
}

/* `/results/ID/NAME`; plain digits only. */
static bool
split(int64_t *id, const char **name, const char *path)
{
	static const char top[] = "/results/";
	char             *end;
	size_t            digits;

	if (strncmp(path, top, strlen(top)) != 0)
		return false;
	path += strlen(top);
	digits = strspn(path, "0123456789");
	*id = strtoll(path, &end, 10);
	*name = end + 1;
	return digits > 0 && digits < 19 && *end == '/';
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
	return fg_http_send_file(req, name, type_of(project->result), fg_req_int(req, DOWNLOAD, 0) == 1 ? download : NULL);
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
result(struct fg_req *req)
{
	struct fg_project project;
	const char       *name;
	int64_t           id;
	enum fg_err       err;

	if (!split(&id, &name, req->path))
		return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
	err = fg_project_get(&project, req->db, id);
	if (err == FG_ENOTFOUND || (err == FG_OK && project.owner != req->user->id && (req->user->roles & FG_ROLE_ADMIN) == 0))
		return fg_fail(FG_ENOTFOUND, "there is no project %" PRId64 " of yours", id);
	if (err != FG_OK)
		return err;
	if (strcmp(name, "raw.zip") == 0)
		return send_raw(req, &project);
	if (strcmp(name, "result") == 0)
		return send_result(req, &project, "");
	if (strncmp(name, "result.", 7) == 0)
		return send_result(req, &project, name + 7);
	return fg_fail(FG_ENOTFOUND, "a project has result and raw.zip");
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "result", .methods = FG_GET | FG_HEAD, .needs = FG_USER,
		.params = params, .nparams = sizeof(params) / sizeof(*params), .handle = result,
	});
}
