#include "http/job_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "farm/census.h"
#include "text/escape.h"

enum { CACHED_MAX = 256 };

/* -f comes last; .c must be there, for the script rides on it; no argument holds a blank. */
static const char commandline[] = ".e --factory-startup --disable-autoexec -b .c -o .o -f .f -x 1";

static void
add_evictions(struct fg_req *req, struct fg_xml *xml)
{
	static char md5s[CACHED_MAX][33];
	const int   count = fg_xml_cache_list(md5s, CACHED_MAX, fg_buf_text(&req->body), req->body.len);

	for (int i = 0; i < count; i++) {
		int64_t needed = 1;

		if (fg_db_int(&needed, req->db, FG_SQL_ARCHIVE_NEEDED, FG_BINDS(FG_T("md5", md5s[i]))) != FG_OK || needed)
			continue;
		fg_xml_open(xml, "file");
		fg_xml_attr(xml, "md5", md5s[i]);
		fg_xml_attr(xml, "action", "delete");
		fg_xml_close(xml);
	}
}

enum fg_err
fg_http_no_job(struct fg_req *req, int status)
{
	struct fg_xml *xml = fg_xml_begin("jobrequest");

	fg_xml_attr_int(xml, "status", status);
	add_evictions(req, xml);
	return fg_http_xml(req, xml, status);
}

/* The address that the client used, if it is one of ours; else the one that we are known by. A Host header is a stranger's word. */
static void
base_url(struct fg_buf *out, const struct fg_req *req)
{
	const char  *hosts = req->settings->public_hosts;
	const size_t len = strlen(req->host);

	for (const char *at = hosts; len > 0 && (at = strstr(at, req->host)) != NULL; at += len)
		if ((at == hosts || at[-1] == ' ') && (at[len] == '\0' || at[len] == ' ')) {
			fg_buf_printf(out, "%s://%s", req->https ? "https" : "http", req->host);
			return;
		}
	fg_buf_str(out, req->settings->public_url);
}

/* Written whole as one value: clients decode it once and append &rendertime=…; it holds no token. */
static void
add_validation_url(struct fg_req *req, struct fg_xml *xml, const struct fg_lease *lease)
{
	struct fg_buf url = { 0 }, escaped = { 0 };

	base_url(&url, req);
	fg_buf_printf(&url, "/server/send_frame.php?job=%" PRId64 "&frame=%04d", lease->id, lease->frame);
	fg_escape_url(&escaped, url.data);
	fg_xml_attr(xml, "validation_url", escaped.data);
	fg_buf_free(&url);
	fg_buf_free(&escaped);
}

static int64_t
larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* `stats` must be complete or absent. Its numbers of the farm are some seconds old; they never deny the task that comes with them. */
static void
add_remaining(struct fg_req *req, struct fg_xml *xml, const struct fg_project *project)
{
	static struct fg_census census;
	const int64_t           left = project->waiting + project->running;

	fg_census_take(&census, req->db, req->now_ms);
	fg_xml_open(xml, "frames");
	fg_xml_attr_int(xml, "remaining", left);
	fg_xml_close(xml);
	fg_xml_open(xml, "stats");
	fg_xml_attr_int(xml, "credits_session", req->session->points / 1000);
	fg_xml_attr_int(xml, "credits_total", req->session->user_points / 1000);
	fg_xml_attr_int(xml, "frame_remaining", larger(census.tasks, left));
	fg_xml_attr_int(xml, "waiting_project", larger(census.projects, 1));
	fg_xml_attr_int(xml, "connected_machine", larger(census.machines, 1));
	fg_xml_attr_int(xml, "renderable_project", larger(census.projects, 1));
	fg_xml_close(xml);
}

/* 7.x fetches scenes as chunks; ours are one chunk, named by the MD5. */
static void
add_chunks(struct fg_xml *xml, const char *md5)
{
	fg_xml_open(xml, "chunks");
	fg_xml_open(xml, "chunk");
	fg_xml_attr(xml, "id", md5);
	fg_xml_attr(xml, "md5", md5);
	fg_xml_close(xml);
	fg_xml_close(xml);
}

static void
add_renderer(struct fg_xml *xml, const struct fg_job *job)
{
	fg_xml_open(xml, "renderer");
	fg_xml_attr(xml, "md5", job->lease.renderer_md5);
	fg_xml_attr(xml, "commandline", commandline);
	fg_xml_attr(xml, "update_method", "remainingtime");
	fg_xml_close(xml);
	fg_xml_open(xml, "script");
	fg_xml_text(xml, fg_buf_text(&job->script));
	fg_xml_close(xml);
}

static void
add_job(struct fg_req *req, struct fg_xml *xml, const struct fg_job *job)
{
	char frame[16];

	snprintf(frame, sizeof(frame), "%04d", job->lease.frame); /* clients look for a file of exactly this name, and Blender writes four digits */
	fg_xml_open(xml, "job");
	fg_xml_attr_int(xml, "id", job->lease.id);
	fg_xml_attr_int(xml, "use_gpu", job->lease.gpu);
	fg_xml_attr(xml, "archive_md5", job->project.archive_md5);
	fg_xml_attr(xml, "path", job->project.blend);
	fg_xml_attr(xml, "frame", frame);
	fg_xml_attr_int(xml, "synchronous_upload", 1);
	fg_xml_attr_int(xml, "revision", 0);
	fg_xml_attr(xml, "extras", "");
	add_validation_url(req, xml, &job->lease);
	fg_xml_attr(xml, "name", job->project.title);
	fg_xml_attr(xml, "password", "");
	if (req->session->own && fg_project_wants_logs(&job->project))
		fg_xml_attr_int(xml, "log", 1);
	if (!req->session->own && strtol(req->session->version, NULL, 10) >= 7)
		add_chunks(xml, job->project.archive_md5);
	add_renderer(xml, job);
	fg_xml_close(xml);
}

enum fg_err
fg_http_job(struct fg_req *req, const struct fg_job *job)
{
	struct fg_xml *xml = fg_xml_begin("jobrequest");

	fg_xml_attr_int(xml, "status", 0);
	add_remaining(req, xml, &job->project);
	add_job(req, xml, job);
	add_evictions(req, xml);
	return fg_http_xml(req, xml, 0);
}
