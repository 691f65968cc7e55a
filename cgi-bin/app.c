/* app: the two kinds of address of the progress app that are no files. Its own address alone leads here (app_port); the web server names its folder.
 *
 *   GET|HEAD /JOB                       jobpage.template.html, __JOBID__ replaced
 *   GET|HEAD /_next/data/BUILD/JOB.json {"pageProps":{"jobId":"JOB"},"__N_SSP":true}
 *   JOB is made of A-Z a-z 0-9 _ - alone; 404 for anything else. Who may look at the job is asked by the live daemon, which tells what is in it.
 *   Described: doc/operations.md#the-progress-app    Test: tests/integration/live.py
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "http/endpoint.h"

enum { TEMPLATE_MOST = 4 << 20 };

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

static enum fg_err
send_page(struct fg_req *req, const char *job)
{
	static const char mark[] = "__JOBID__";
	struct fg_buf     whole = { 0 }, page = { 0 };
	char              path[PATH_MAX];
	enum fg_err       err;

	snprintf(path, sizeof(path), "%s/jobpage.template.html", fg_req_header(req, "DOCUMENT_ROOT"));
	if ((err = fg_fs_read(&whole, path, TEMPLATE_MOST)) == FG_OK) {
		const char *at = fg_buf_text(&whole);

		for (const char *next; (next = strstr(at, mark)) != NULL; at = next + strlen(mark)) {
			fg_buf_add(&page, at, (size_t)(next - at));
			fg_buf_str(&page, job);
		}
		fg_buf_str(&page, at);
		err = fg_http_send(req, 200, "text/html; charset=utf-8", page.data, page.len);
	}
	fg_buf_free(&whole);
	fg_buf_free(&page);
	return err;
}

static enum fg_err
send_data(struct fg_req *req, const char *job, size_t len)
{
	struct fg_buf json = { 0 };
	enum fg_err   err;

	fg_buf_printf(&json, "{\"pageProps\":{\"jobId\":\"%.*s\"},\"__N_SSP\":true}", (int)len, job);
	err = fg_http_send(req, 200, "application/json", json.data, json.len);
	fg_buf_free(&json);
	return err;
}

static enum fg_err
app(struct fg_req *req)
{
	static const char data[] = "/_next/data/";
	const char       *job = req->path + 1;
	size_t            len = strspn(job, letters);

	if (len > 0 && job[len] == '\0')
		return send_page(req, job);
	if (strncmp(req->path, data, strlen(data)) == 0 && (job = strchr(req->path + strlen(data), '/')) != NULL) {
		len = strspn(++job, letters);
		if (len > 0 && strcmp(job + len, ".json") == 0)
			return send_data(req, job, len);
	}
	return fg_fail(FG_ENOTFOUND, "there is nothing at this address");
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){ .name = "app", .methods = FG_GET | FG_HEAD, .needs = FG_NOBODY, .handle = app });
}
