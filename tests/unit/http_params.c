/* http_params: what comes in by any way is checked against the table; what goes out is what HTTP wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "http/response.h"
#include "peer.h"

#define FORM "application/x-www-form-urlencoded"
#define MULTI "multipart/form-data; boundary=b"
#define PART(name, value) "--b\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"

enum { JOB, NAME, NEXT, NPARAMS };
static const struct fg_param params[] = {
	[JOB]  = { "job",  FG_PARAM_INT, .min = 20, .max = INT32_MAX },
	[NAME] = { "name", FG_PARAM_TEXT, .optional = true, .max = 8 },
	[NEXT] = { "next", FG_PARAM_INT, .optional = true, .loose = true, .min = -5, .max = 5 },
};

static int64_t
file_max(const struct fg_settings *settings)
{
	(void)settings;
	return 100;
}

static const struct fg_endpoint plain = { .name = "t", .methods = FG_GET | FG_POST, .params = params, .nparams = NPARAMS };
static const struct fg_endpoint taking = { .name = "t", .methods = FG_GET | FG_POST, .params = params, .nparams = NPARAMS, .body = FG_BODY_FILE, .file = "file", .file_max = file_max };

static struct fg_farm farm;
static struct peer    peer;

static int
folder(void **state)
{
	static char dir[] = "/tmp/farmgate-http-XXXXXX";

	*state = mkdtemp(dir);
	if (*state == NULL || fg_spool_open(&farm.spool, dir) != FG_OK || fg_spool_make(&farm.spool) != FG_OK)
		return -1;
	snprintf(farm.settings.file_sender, sizeof(farm.settings.file_sender), "self");
	return 0;
}

static int
no_folder(void **state)
{
	return fg_fs_remove_tree(*state) == FG_OK ? 0 : -1;
}

static struct fg_req
request(const struct fg_endpoint *endpoint)
{
	return (struct fg_req){ .farm = &farm, .settings = &farm.settings, .endpoint = endpoint, .fcgi = &peer.fcgi, .file = { .file = FG_SPOOL_NO_FILE } };
}

static void
done(struct fg_req *req)
{
	fg_req_reset(req);
	free(req->arena.first);
	fg_buf_free(&peer.sent);
}

static const struct {
	const char *method, *uri, *type, *body;
	enum fg_err err;
	int         bad;
	int64_t     job, next;
	const char *name;
} rows[] = {
	{ "GET", "/a?job=21", "", "", FG_OK, -1, 21, 9, "-" },
	{ "GET", "/a?job=21&name=x%20y&next=-5", "", "", FG_OK, -1, 21, -5, "x y" },
	{ "GET", "/a?job=21&job=22&name=&next=", "", "", FG_OK, -1, 21, 9, "" },
	{ "POST", "/a", FORM, "job=21&name=a+b", FG_OK, -1, 21, 9, "a b" },
	{ "POST", "/a?job=30", FORM, "job=21&name=q", FG_OK, -1, 30, 9, "q" },
	{ "POST", "/a?job=30", MULTI, PART("job", "21") PART("name", "m") PART("other", "x") "--b--", FG_OK, -1, 30, 9, "m" },
	{ "POST", "/a", "application/json", "{\"job\":21,\"name\":\"j\",\"next\":3}", FG_OK, -1, 21, 3, "j" },
	{ "POST", "/a", "application/json; charset=utf-8", "{\"job\":21.5}", FG_EINVAL, JOB, 0, 0, NULL },
	{ "POST", "/a", "application/json", "job=21", FG_EFORMAT, -1, 0, 0, NULL },
	{ "POST", "/a?job=21", FORM, "<cache/>", FG_OK, -1, 21, 9, "-" },
	{ "POST", "/a?job=21", "application/xml", "job=99", FG_OK, -1, 21, 9, "-" },
	{ "GET", "/a?job=21&next=6", "", "", FG_OK, -1, 21, 9, "-" },
	{ "GET", "/a?job=21&next=99999999999999999999", "", "", FG_OK, -1, 21, 9, "-" },
	{ "GET", "/a", "", "", FG_EINVAL, JOB, 0, 0, NULL },
	{ "GET", "/a?job=", "", "", FG_EINVAL, JOB, 0, 0, NULL },
	{ "GET", "/a?job=19", "", "", FG_EINVAL, JOB, 0, 0, NULL },
	{ "GET", "/a?job=2147483648", "", "", FG_EINVAL, JOB, 0, 0, NULL },
	{ "GET", "/a?job=99999999999999999999999", "", "", FG_EINVAL, JOB, 0, 0, NULL },
	{ "GET", "/a?job=-21", "", "", FG_EINVAL, JOB, 0, 0, NULL },
	{ "GET", "/a?job=%0921", "", "", FG_EINVAL, JOB, 0, 0, NULL },
	{ "GET", "/a?job=+21", "", "", FG_EINVAL, JOB, 0, 0, NULL },
	{ "GET", "/a?job=21x", "", "", FG_EINVAL, JOB, 0, 0, NULL },
	{ "GET", "/a?job=0x21", "", "", FG_EINVAL, JOB, 0, 0, NULL },
	{ "GET", "/a?job=21%00", "", "", FG_EINVAL, JOB, 0, 0, NULL },
	{ "GET", "/a?job%00x=21", "", "", FG_EINVAL, JOB, 0, 0, NULL },
	{ "GET", "/a?job=21&name=123456789", "", "", FG_EINVAL, NAME, 0, 0, NULL },
	{ "GET", "/a?job=21&name=%ff", "", "", FG_EINVAL, NAME, 0, 0, NULL },
	{ "GET", "/a?job=21&name=a%00b", "", "", FG_EINVAL, NAME, 0, 0, NULL },
	{ "GET", "/a?job=21&file=x", "", "", FG_OK, -1, 21, 9, "-" },
	{ "POST", "/a?job=21", MULTI, PART("name", "m"), FG_EFORMAT, -1, 0, 0, NULL },
	{ "POST", "/a?job=21", "multipart/form-data", PART("name", "m") "--b--", FG_EFORMAT, -1, 0, 0, NULL },
};

static void
table(void **state)
{
	static const size_t steps[] = { 1, 7, 65536 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows) * 3; i++) {
		const size_t  row = i / 3;
		struct fg_req req = request(&plain);
		int           bad = -1;

		peer_start(&peer, rows[row].method, rows[row].uri, rows[row].type, rows[row].body, strlen(rows[row].body), steps[i % 3]);
		assert_int_equal(fg_req_take(&req), FG_OK);
		if (fg_req_parameters(&req, &bad) != rows[row].err || bad != rows[row].bad)
			fail_msg("row %zu: parameter %d", row, bad);
		if (rows[row].err == FG_OK) {
			assert_int_equal(fg_req_int(&req, JOB, 0), rows[row].job);
			assert_int_equal(fg_req_int(&req, NEXT, 9), rows[row].next);
			assert_string_equal(fg_req_text(&req, NAME, "-"), rows[row].name);
		}
		done(&req);
	}
}

static void
heads(void **state)
{
	static const struct {
		const char *method, *uri, *length, *path;
		enum fg_err err;
	} heads_rows[] = {
		{ "GET", "//server//config.php/?a=/b//", "", "/server/config.php", FG_OK },
		{ "GET", "/", "", "/", FG_OK },
		{ "GET", "///", "", "/", FG_OK },
		{ "GET", "/a%2Fb%20c%zz/", "", "/a/b c%zz", FG_OK },
		{ "GET", "/a", "-1", "/a", FG_EINVAL },
		{ "GET", "/a", "99999999999999999999", "/a", FG_EINVAL },
		{ "GET", "/a", "12x", "/a", FG_EINVAL },
		{ "PUT", "/a", "", "/a", FG_EMETHOD },
		{ "get", "/a", "", "/a", FG_EMETHOD },
		{ "", "/a", "", "/a", FG_EMETHOD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(heads_rows) / sizeof(*heads_rows); i++) {
		struct fg_req req = request(&plain);

		peer_start(&peer, heads_rows[i].method, heads_rows[i].uri, "", "", 0, 1);
		snprintf(peer.text[4], sizeof(peer.text[4]), "CONTENT_LENGTH=%s", heads_rows[i].length);
		assert_int_equal(fg_req_take(&req), heads_rows[i].err);
		assert_string_equal(req.path, heads_rows[i].path);
		assert_string_equal(req.id, "-");
		done(&req);
	}
}

static void
cookies(void **state)
{
	static const struct {
		const char *header, *value;
	} cookie_rows[] = {
		{ "FGWORKER=abc; path=/; HttpOnly", "abc" }, { "a=b;FGWORKER=abc", "abc" },   { "xFGWORKER=1; FGWORKER=2; FGWORKER=3", "2" },
		{ "FGWORKER=", "" },                         { "FGWORKERS=1", NULL },         { "FGWORKER", NULL },
		{ ";;; ;", NULL },                           { "", NULL },                    { "a=FGWORKER=1", NULL },
		{ "path=/; HttpOnly; FGWORKER=abc \t", "abc" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cookie_rows) / sizeof(*cookie_rows); i++) {
		struct fg_req req = request(&plain);
		const char   *value;

		peer_start(&peer, "GET", "/", "", "", 0, 1);
		peer_env(&peer, "HTTP_COOKIE", cookie_rows[i].header);
		value = fg_req_cookie(&req, "FGWORKER");
		if (cookie_rows[i].value == NULL)
			assert_null(value);
		else
			assert_string_equal(value, cookie_rows[i].value);
		done(&req);
	}
}

static void
bodies_said_longer(void **state)
{
	static const char *const types[] = { FORM, MULTI, "text/xml", "application/json" };
	int                      bad;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct fg_req req = request(&plain);

		peer_start(&peer, "POST", "/a?job=21", types[i], "name=x", 6, 2);
		snprintf(peer.text[4], sizeof(peer.text[4]), "CONTENT_LENGTH=7");
		assert_int_equal(fg_req_take(&req), FG_OK);
		assert_int_equal(fg_req_parameters(&req, &bad), FG_EFORMAT);
		done(&req);
	}
}

static void
large_bodies(void **state)
{
	static const char *const types[] = { FORM, MULTI, "text/xml" };
	const size_t             len = 4 << 20;
	char                    *body = malloc(len);
	int                      bad;

	(void)state;
	memset(body, 'x', len);
	for (size_t i = 0; i < 3; i++) {
		struct fg_req req = request(&plain);

		peer_start(&peer, "POST", "/a?job=21", types[i], body, len, 8192);
		assert_int_equal(fg_req_take(&req), FG_OK);
		assert_int_equal(fg_req_parameters(&req, &bad), FG_ETOOBIG);
		assert_true(req.body.room <= 4 << 20);
		done(&req);
	}
	free(body);
}

static void
files(void **state)
{
	static const struct {
		const char *type, *body, *file, *name;
		enum fg_err err;
	} file_rows[] = {
		{ MULTI, PART("name", "x") "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../a.png\"\r\n\r\n\x89PNG\r\n--b--", "\x89PNG", "../a.png", FG_OK },
		{ MULTI, PART("file", "one") PART("file", "two") PART("name", "x") "--b--", "one", "", FG_OK },
		{ FORM, "file=%89PNG&name=x", "\x89PNG", "", FG_OK },
		{ MULTI, PART("name", "x") "--b--", NULL, "", FG_OK },
		{ FORM, "file=1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890&name=x",
		  "1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890", "", FG_OK },
		{ FORM, "file=12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901", NULL, "", FG_ETOOBIG },
		{ MULTI, "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\ncut", NULL, "", FG_EFORMAT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(file_rows) / sizeof(*file_rows); i++) {
		struct fg_req req = request(&taking);
		char          bytes[128], path[PATH_MAX];
		int           bad;

		peer_start(&peer, "POST", "/a?job=21", file_rows[i].type, file_rows[i].body, strlen(file_rows[i].body), 5);
		assert_int_equal(fg_req_take(&req), FG_OK);
		assert_int_equal(fg_req_parameters(&req, &bad), file_rows[i].err);
		if (file_rows[i].err == FG_OK) {
			assert_string_equal(fg_req_text(&req, NAME, "-"), "x");
			assert_int_equal(req.file.there, file_rows[i].file != NULL);
			assert_string_equal(req.file.name, file_rows[i].name);
			if (req.file.there) {
				assert_int_equal(req.file.file.size, strlen(file_rows[i].file));
				assert_int_equal(pread(req.file.file.fd, bytes, sizeof(bytes), 0), req.file.file.size);
				assert_memory_equal(bytes, file_rows[i].file, (size_t)req.file.file.size);
			}
		}
		snprintf(path, sizeof(path), "%s", req.file.file.path);
		done(&req);
		assert_int_not_equal(access(path, F_OK), 0); /* nothing stays behind */
	}
}

static void
answers(void **state)
{
	struct fg_req req = request(&plain);

	(void)state;
	peer_start(&peer, "GET", "/a?job=21", "", "", 0, 1);
	assert_int_equal(fg_req_take(&req), FG_OK);
	fg_http_header(&req, "Set-Cookie", "A=b; path=/; HttpOnly");
	assert_int_equal(fg_xml_status(&req, "keepmealive", 400), FG_OK);
	assert_string_equal(peer.sent.data, "Status: 200 OK\r\nSet-Cookie: A=b; path=/; HttpOnly\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: 68\r\n\r\n"
	                                    "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n<keepmealive status=\"400\"/>\n");
	assert_int_equal(req.protocol_status, 400);
	done(&req);
}

/* What we send ourselves behind a web server without a way to do it. */
static void
ranges(void **state)
{
	static const struct {
		const char *method, *range, *status, *body, *length;
	} range_rows[] = {
		{ "GET", "", "200", "0123456789", "10" },      { "GET", "bytes=0-", "206", "0123456789", "10" }, { "GET", "bytes=2-4", "206", "234", "3" },
		{ "GET", "bytes=-3", "206", "789", "3" },      { "GET", "bytes=-30", "206", "0123456789", "10" }, { "GET", "bytes=9-99", "206", "9", "1" },
		{ "GET", "bytes=10-", "416", "", "0" },        { "GET", "bytes=-0", "416", "", "0" },            { "GET", "bytes=4-2", "200", "0123456789", "10" },
		{ "GET", "bytes=1-2,4-5", "200", "0123456789", "10" }, { "GET", "lines=1-2", "200", "0123456789", "10" }, { "GET", "bytes=x-y", "200", "0123456789", "10" },
		{ "GET", "bytes=99999999999999999999-", "416", "", "0" }, { "HEAD", "", "200", "", "10" },       { "HEAD", "bytes=2-4", "206", "", "3" },
	};
	char path[PATH_MAX], etag[128] = "";

	(void)state;
	fg_spool_path(path, &farm.spool, "ten.bin");
	assert_int_equal(fg_fs_replace(path, "0123456789", 10, 0644), FG_OK);
	for (size_t i = 0; i < sizeof(range_rows) / sizeof(*range_rows) + 3; i++) {
		const bool    again = i >= sizeof(range_rows) / sizeof(*range_rows);
		const size_t  row = again ? 2 : i, kind = i - sizeof(range_rows) / sizeof(*range_rows);
		struct fg_req req = request(&plain);
		char          want[64], *body;

		peer_start(&peer, range_rows[row].method, "/r", "", "", 0, 1);
		peer_env(&peer, "HTTP_RANGE", range_rows[row].range);
		if (again)
			peer_env(&peer, kind == 0 ? "HTTP_IF_NONE_MATCH" : "HTTP_IF_RANGE", kind == 2 ? "\"other\"" : etag);
		fg_req_take(&req);
		assert_int_equal(fg_http_send_file(&req, "ten.bin", "video/mp4", "a\"\xc3\xa9.mp4"), FG_OK);
		snprintf(want, sizeof(want), "Status: %s ", again && kind == 0 ? "304" : again && kind == 2 ? "200" : range_rows[row].status);
		assert_memory_equal(peer.sent.data, want, strlen(want));
		assert_non_null(body = strstr(peer.sent.data, "\r\n\r\n"));
		if (!again) {
			assert_string_equal(body + 4, range_rows[row].body);
			snprintf(want, sizeof(want), "Content-Length: %s\r\n", range_rows[row].length);
			assert_non_null(strstr(peer.sent.data, want));
			assert_non_null(strstr(peer.sent.data, "attachment; filename=\"a___.mp4\"; filename*=UTF-8''a%22%C3%A9.mp4\r\n"));
			assert_int_equal(sscanf(strstr(peer.sent.data, "ETag: "), "ETag: %127s", etag), 1);
		}
		done(&req);
	}
}

static void
other_senders(void **state)
{
	static const char *const want[][2] = { { "accel", "\r\nX-Accel-Redirect: /spool/ten.bin\r\n" }, { "sendfile", "\r\nX-Sendfile: /tmp/farmgate-http-" } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fg_req req = request(&plain);

		snprintf(farm.settings.file_sender, sizeof(farm.settings.file_sender), "%s", want[i][0]);
		peer_start(&peer, "GET", "/r", "", "", 0, 1);
		fg_req_take(&req);
		assert_int_equal(fg_http_send_file(&req, "ten.bin", "video/mp4", NULL), FG_OK);
		assert_non_null(strstr(peer.sent.data, want[i][1]));
		assert_string_equal(strstr(peer.sent.data, "\r\n\r\n"), "\r\n\r\n");
		assert_int_equal(fg_http_send_file(&req, "none.bin", "video/mp4", NULL), FG_ENOTFOUND);
		done(&req);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table), cmocka_unit_test(heads), cmocka_unit_test(cookies), cmocka_unit_test(bodies_said_longer), cmocka_unit_test(large_bodies),
		cmocka_unit_test(files), cmocka_unit_test(answers), cmocka_unit_test(ranges), cmocka_unit_test(other_senders),
	};

	return cmocka_run_group_tests(tests, folder, no_folder);
}
