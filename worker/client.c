#include "worker/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <curl/curl.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

#include "base/fs.h"
#include "config.h"

enum { ANSWER_MAX = 1 << 20, CONNECT_S = 20, ANSWER_S = 60, UPLOAD_S = 3600, SLOW_BYTES = 100, SLOW_S = 120 };

static size_t
take_answer(char *bytes, size_t size, size_t count, void *ctx)
{
	struct fg_buf *answer = ctx;

	if (answer->len + size * count > ANSWER_MAX)
		return 0;
	fg_buf_add(answer, bytes, size * count);
	return size * count;
}

static size_t
take_file(char *bytes, size_t size, size_t count, void *ctx)
{
	return fg_fs_write(*(int *)ctx, bytes, size * count) == FG_OK ? size * count : 0;
}

enum fg_err
fg_client_open(struct fg_client *c)
{
	c->curl = curl_easy_init();
	c->beat = curl_easy_init();
	c->share = curl_share_init();
	if (c->curl == NULL || c->beat == NULL || c->share == NULL)
		return fg_fail(FG_EIO, "libcurl could not be set up");
	curl_share_setopt(c->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
	return FG_OK;
}

void
fg_client_close(struct fg_client *c)
{
	curl_easy_cleanup(c->curl);
	curl_easy_cleanup(c->beat);
	curl_share_cleanup(c->share);
	c->curl = c->beat = c->share = NULL;
}

static int
transferring(void *ctx, curl_off_t down, curl_off_t of_down, curl_off_t up, curl_off_t of_up)
{
	struct fg_client *c = ctx;

	(void)down, (void)of_down, (void)up, (void)of_up;
	return c->go_on != NULL && !c->go_on(c->go_on_ctx);
}

/* From here on the request ends when the caller says so. */
static void
watch(struct fg_client *c)
{
	curl_easy_setopt(c->curl, CURLOPT_XFERINFOFUNCTION, transferring);
	curl_easy_setopt(c->curl, CURLOPT_XFERINFODATA, c);
	curl_easy_setopt(c->curl, CURLOPT_NOPROGRESS, 0L);
}

/* A fresh request on the same connections and cookies. */
static CURL *
prepare_on(CURL *curl, struct fg_client *c, const char *url, long seconds)
{
	curl_easy_setopt(curl, CURLOPT_COOKIEFILE, NULL); /* a reset would lose the list of files that libcurl keeps; the cookies are the share's */
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_SHARE, c->share);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_COOKIEFILE, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, seconds);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "farmgate-worker/" PACKAGE_VERSION);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	if (c->ca_file != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO, c->ca_file);
	return curl;
}

static CURL *
prepare(struct fg_client *c, const char *url, long seconds)
{
	return prepare_on(c->curl, c, url, seconds);
}

static enum fg_err
perform(CURL *curl, long *status)
{
	const CURLcode code = curl_easy_perform(curl);

	*status = 0;
	if (code != CURLE_OK)
		return fg_fail(FG_EIO, "the portal does not answer: %s", curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
	return FG_OK;
}

static enum fg_err
ask(struct fg_buf *answer, CURL *curl)
{
	long        status;
	enum fg_err err;

	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	if ((err = perform(curl, &status)) != FG_OK)
		return err;
	return status == 200 ? FG_OK : fg_fail(FG_EIO, "the portal answers with HTTP status %ld", status);
}

static xmlDocPtr
parse(const struct fg_buf *answer, const char *root)
{
	xmlDocPtr doc = xmlReadMemory(fg_buf_text(answer), (int)answer->len, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);

	if (doc != NULL && (xmlDocGetRootElement(doc) == NULL || strcmp((const char *)xmlDocGetRootElement(doc)->name, root) != 0)) {
		xmlFreeDoc(doc);
		doc = NULL;
	}
	if (doc == NULL)
		fg_fail(FG_EIO, "the portal's answer is not the %s that was expected", root);
	return doc;
}

static void
attribute(char *out, size_t size, xmlNodePtr node, const char *name)
{
	xmlChar *value = xmlGetProp(node, (const xmlChar *)name);

	snprintf(out, size, "%s", value != NULL ? (const char *)value : "");
	xmlFree(value);
}

static int
status_of(xmlNodePtr node)
{
	char text[16];

	attribute(text, sizeof(text), node, "status");
	return text[0] != '\0' ? (int)strtol(text, NULL, 10) : -1;
}

static void
add_field(struct fg_buf *form, CURL *curl, const char *name, const char *value)
{
	char *escaped = curl_easy_escape(curl, value, 0);

	if (escaped == NULL)
		abort();
	fg_buf_printf(form, "%s%s=%s", form->len > 0 ? "&" : "", name, escaped);
	curl_free(escaped);
}

/* What /proc/cpuinfo says under a name, "" when it says nothing. */
static void
cpu_says(char *out, size_t size, const char *name)
{
	struct fg_buf info = { 0 };
	const char   *at;

	out[0] = '\0';
	if (fg_fs_read(&info, "/proc/cpuinfo", 1 << 22) == FG_OK && (at = strstr(fg_buf_text(&info), name)) != NULL && (at = strchr(at, ':')) != NULL)
		snprintf(out, size, "%.*s", (int)strcspn(at + 1 + strspn(at + 1, " "), "\n"), at + 1 + strspn(at + 1, " "));
	fg_buf_free(&info);
}

/* What a render may have without driving others out: this slot's part of what is free or only cached. */
static int64_t
memory_kib(const struct fg_client *c)
{
	struct fg_buf info = { 0 };
	const char   *at;
	int64_t       kib = 0;

	if (fg_fs_read(&info, "/proc/meminfo", 1 << 16) == FG_OK && (at = strstr(fg_buf_text(&info), "MemAvailable:")) != NULL)
		kib = strtoll(at + 13, NULL, 10);
	fg_buf_free(&info);
	return kib / (c->slots > 0 ? c->slots : 1);
}

static void
introduce(struct fg_buf *form, struct fg_client *c)
{
	char           value[256];
	struct sysinfo memory = { 0 };

	add_field(form, c->curl, "login", c->login);
	add_field(form, c->curl, "password", c->key);
	cpu_says(value, sizeof(value), "cpu family");
	add_field(form, c->curl, "cpu_family", value);
	cpu_says(value, sizeof(value), "model\t");
	add_field(form, c->curl, "cpu_model", value);
	cpu_says(value, sizeof(value), "model name");
	add_field(form, c->curl, "cpu_model_name", value[0] != '\0' ? value : "unknown");
	snprintf(value, sizeof(value), "%ld", sysconf(_SC_NPROCESSORS_ONLN));
	add_field(form, c->curl, "cpu_cores", value);
	sysinfo(&memory);
	snprintf(value, sizeof(value), "%" PRIu64, (uint64_t)memory.totalram * memory.mem_unit / 1024);
	add_field(form, c->curl, "ram", value);
	add_field(form, c->curl, "os", "linux");
	add_field(form, c->curl, "bits", sizeof(void *) == 8 ? "64bit" : "32bit");
	add_field(form, c->curl, "version", PACKAGE_VERSION);
	if (c->name != NULL || gethostname(value, sizeof(value)) == 0)
		add_field(form, c->curl, "hostname", c->name != NULL ? c->name : value);
	add_field(form, c->curl, "hwid", c->hwid);
	add_field(form, c->curl, "extras", "farmgate-worker/" PACKAGE_VERSION);
}

static void
take_paths(struct fg_client *c, xmlNodePtr root)
{
	static const char *const types[] = { "request-job", "download-archive", "error", "keepmealive", "logout" };
	char                     type[64];

	for (xmlNodePtr node = root->children; node != NULL; node = node->next) {
		if (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, "request") != 0)
			continue;
		attribute(type, sizeof(type), node, "type");
		for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
			if (strcmp(types[i], type) == 0)
				attribute(c->paths[i], sizeof(c->paths[i]), node, "path");
	}
}

/* A portal may give another secret for this machine; it is sent from now on. */
static void
take_key(struct fg_client *c, xmlNodePtr root)
{
	char key[sizeof(c->key)];

	attribute(key, sizeof(key), root, "publickey");
	if (key[0] != '\0')
		snprintf(c->key, sizeof(c->key), "%s", key);
}

int
fg_client_login(struct fg_client *c)
{
	struct fg_buf form = { 0 }, url = { 0 }, answer = { 0 };
	int           status = -1;
	xmlDocPtr     doc = NULL;
	CURL         *curl;

	fg_buf_printf(&url, "%s/server/config.php", c->server);
	curl = prepare(c, url.data, ANSWER_S);
	introduce(&form, c);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, form.data);
	watch(c);
	if (ask(&answer, curl) == FG_OK && (doc = parse(&answer, "config")) != NULL) {
		status = status_of(xmlDocGetRootElement(doc));
		take_paths(c, xmlDocGetRootElement(doc));
		take_key(c, xmlDocGetRootElement(doc));
	}
	xmlFreeDoc(doc);
	c->logged_in = status == 0;
	fg_buf_free(&form);
	fg_buf_free(&url);
	fg_buf_free(&answer);
	return status;
}

/* server + path, or a whole address; more parameters may follow. */
static void
address(struct fg_buf *url, const struct fg_client *c, enum fg_client_path path)
{
	fg_buf_printf(url, "%s%s", strncmp(c->paths[path], "http", 4) == 0 ? "" : c->server, c->paths[path]);
	fg_buf_char(url, strchr(c->paths[path], '?') != NULL ? '&' : '?');
}

static void
take_child(struct fg_task *task, xmlNodePtr node)
{
	if (strcmp((const char *)node->name, "renderer") == 0) {
		attribute(task->renderer_md5, sizeof(task->renderer_md5), node, "md5");
		attribute(task->command, sizeof(task->command), node, "commandline");
	} else if (strcmp((const char *)node->name, "script") == 0) {
		xmlChar *text = xmlNodeGetContent(node);

		if (text != NULL)
			fg_buf_str(&task->script, (const char *)text);
		xmlFree(text);
	}
}

static void
take_job(struct fg_task *task, CURL *curl, xmlNodePtr node)
{
	char  value[2048];
	char *decoded;

	attribute(value, sizeof(value), node, "id");
	task->id = strtoll(value, NULL, 10);
	attribute(value, sizeof(value), node, "log");
	task->log = value[0] == '1';
	attribute(value, sizeof(value), node, "use_gpu");
	task->gpu = strcmp(value, "1") == 0;
	attribute(task->archive_md5, sizeof(task->archive_md5), node, "archive_md5");
	attribute(task->path, sizeof(task->path), node, "path");
	attribute(task->frame, sizeof(task->frame), node, "frame");
	attribute(task->name, sizeof(task->name), node, "name");
	attribute(value, sizeof(value), node, "validation_url");
	decoded = curl_easy_unescape(curl, value, 0, NULL);
	snprintf(task->url, sizeof(task->url), "%s", decoded != NULL ? decoded : "");
	curl_free(decoded);
	for (xmlNodePtr child = node->children; child != NULL; child = child->next)
		if (child->type == XML_ELEMENT_NODE)
			take_child(task, child);
}

static bool
is_md5(const char *text)
{
	return strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32;
}

static bool
stays_below(const char *path)
{
	char around[sizeof(((struct fg_task *)0)->path) + 3];

	snprintf(around, sizeof(around), "/%s/", path);
	return path[0] != '\0' && strstr(around, "//") == NULL && strstr(around, "/../") == NULL && strstr(around, "/./") == NULL && strchr(path, '\\') == NULL;
}

static bool
usable(const struct fg_task *task)
{
	return task->id > 0 && is_md5(task->archive_md5) && is_md5(task->renderer_md5) && stays_below(task->path) && strncmp(task->command, ".e ", 3) == 0 && strspn(task->frame, "0123456789") == strlen(task->frame) && task->frame[0] != '\0' && task->script.len > 0 &&
	       strncmp(task->url, "http", 4) == 0;
}

static int
understand(struct fg_client *c, struct fg_task *task, xmlNodePtr root, void (*evict)(void *ctx, const char *md5), void *ctx)
{
	const int status = status_of(root);
	char      md5[64];

	for (xmlNodePtr node = root->children; node != NULL; node = node->next) {
		if (node->type != XML_ELEMENT_NODE)
			continue;
		if (strcmp((const char *)node->name, "job") == 0)
			take_job(task, c->curl, node);
		attribute(md5, sizeof(md5), node, "md5");
		if (strcmp((const char *)node->name, "file") == 0 && is_md5(md5))
			evict(ctx, md5);
	}
	if (status == 0 && !usable(task)) {
		fg_fail(FG_EIO, "the portal's task can't be understood");
		return -1;
	}
	return status;
}

int
fg_client_request(struct fg_client *c, struct fg_task *task, const char (*cached)[33], int ncached, void (*evict)(void *ctx, const char *md5), void *ctx)
{
	struct fg_buf      url = { 0 }, body = { 0 }, answer = { 0 };
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/xml; charset=utf-8");
	xmlDocPtr          doc = NULL;
	int                status = -1;
	CURL              *curl;

	*task = (struct fg_task){ .id = 0 };
	address(&url, c, FG_PATH_REQUEST);
	fg_buf_printf(&url, "computemethod=%d&cpu_cores=%ld&ram_max=%" PRId64 "&rendertime_max=-1", c->method, sysconf(_SC_NPROCESSORS_ONLN), memory_kib(c));
	fg_buf_str(&body, "<cache>");
	for (int i = 0; i < ncached; i++)
		fg_buf_printf(&body, "<file md5=\"%s\"/>", cached[i]);
	fg_buf_str(&body, "</cache>");
	curl = prepare(c, url.data, ANSWER_S);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data);
	watch(c);
	if (ask(&answer, curl) == FG_OK && (doc = parse(&answer, "jobrequest")) != NULL)
		status = understand(c, task, xmlDocGetRootElement(doc), evict, ctx);
	xmlFreeDoc(doc);
	curl_slist_free_all(headers);
	fg_buf_free(&url);
	fg_buf_free(&body);
	fg_buf_free(&answer);
	return status;
}

bool
fg_client_wait(struct fg_client *c, int64_t *seen, int seconds)
{
	struct fg_buf url = { 0 }, answer = { 0 };
	const char   *number;
	bool          work = false;
	CURL         *curl;

	fg_buf_printf(&url, "%s/live/work?seconds=%d&seen=%" PRId64, c->server, *seen < 0 ? 0 : seconds, *seen);
	curl = prepare(c, url.data, seconds + ANSWER_S);
	watch(c);
	if (ask(&answer, curl) == FG_OK && (number = strchr(fg_buf_text(&answer), ' ')) != NULL) {
		work = strncmp(fg_buf_text(&answer), "work ", 5) == 0;
		*seen = strtoll(number + 1, NULL, 10);
	}
	fg_buf_free(&url);
	fg_buf_free(&answer);
	return work;
}

static int
simple(struct fg_buf *answer, CURL *curl, const char *root)
{
	xmlDocPtr doc = NULL;
	int       status = -1;

	if (ask(answer, curl) == FG_OK && (doc = parse(answer, root)) != NULL)
		status = status_of(xmlDocGetRootElement(doc));
	xmlFreeDoc(doc);
	return status;
}

int
fg_client_beat(struct fg_client *c, const struct fg_task *task, int64_t render_s, int64_t remaining_s, int permille, const char *engine)
{
	struct fg_buf url = { 0 }, answer = { 0 };
	int           status;

	address(&url, c, FG_PATH_KEEPMEALIVE);
	fg_buf_printf(&url, "job=%" PRId64 "&frame=%s&rendertime=%" PRId64 "&remainingtime=%" PRId64 "&progress=%d", task->id, task->frame, render_s,
	              remaining_s > 0 ? remaining_s : 0, permille);
	if (engine[0] != '\0') {
		char *escaped = curl_easy_escape(c->beat, engine, 0);

		fg_buf_printf(&url, "&engine=%s", escaped != NULL ? escaped : "");
		curl_free(escaped);
	}
	status = simple(&answer, prepare_on(c->beat, c, url.data, 15), "keepmealive");
	fg_buf_free(&url);
	fg_buf_free(&answer);
	return status;
}

int
fg_client_upload(struct fg_client *c, const struct fg_task *task, const char *file, int64_t render_s, int64_t memory_kib)
{
	struct fg_buf  url = { 0 }, answer = { 0 };
	int            status;
	long           http = 0;
	CURL          *curl;
	curl_mime     *mime;
	curl_mimepart *part;

	fg_buf_printf(&url, "%s&rendertime=%" PRId64 "&memoryused=%" PRId64, task->url, render_s, memory_kib);
	curl = prepare(c, url.data, UPLOAD_S);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SLOW_S);
	mime = curl_mime_init(curl);
	part = curl_mime_addpart(mime);
	curl_mime_name(part, "file");
	curl_mime_filedata(part, file);
	curl_easy_setopt(curl, CURLOPT_MIMEPOST, mime);
	watch(c);
	status = simple(&answer, curl, "jobvalidate");
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http);
	if (status == -1 && http >= 400 && http < 500 && http != 408 && http != 429)
		status = (int)http;
	curl_mime_free(mime);
	fg_buf_free(&url);
	fg_buf_free(&answer);
	return status;
}

void
fg_client_report(struct fg_client *c, const struct fg_task *task, int type, const struct fg_buf *log, int64_t render_s, int64_t memory_kib)
{
	struct fg_buf  url = { 0 }, answer = { 0 };
	CURL          *curl;
	curl_mime     *mime;
	curl_mimepart *part;

	address(&url, c, FG_PATH_ERROR);
	fg_buf_printf(&url, "type=%d%s&job=%" PRId64 "&frame=%s&render_time=%" PRId64 "&memoryused=%" PRId64, type == FG_REPORT_LOG_ALONE ? 0 : type,
	              type == FG_REPORT_LOG_ALONE ? "&keep=1" : "", task->id, task->frame, render_s, memory_kib);
	curl = prepare(c, url.data, ANSWER_S);
	mime = curl_mime_init(curl);
	part = curl_mime_addpart(mime);
	curl_mime_name(part, "file");
	curl_mime_filename(part, "log.txt");
	curl_mime_data(part, fg_buf_text(log), log->len);
	curl_easy_setopt(curl, CURLOPT_MIMEPOST, mime);
	simple(&answer, curl, "error");
	curl_mime_free(mime);
	fg_buf_free(&url);
	fg_buf_free(&answer);
}

void
fg_client_logout(struct fg_client *c)
{
	struct fg_buf url = { 0 }, answer = { 0 };

	if (!c->logged_in || c->paths[FG_PATH_LOGOUT][0] == '\0')
		return;
	fg_buf_printf(&url, "%s%s", c->server, c->paths[FG_PATH_LOGOUT]);
	ask(&answer, prepare(c, url.data, 10));
	c->logged_in = false;
	fg_buf_free(&url);
	fg_buf_free(&answer);
}

enum fg_err
fg_client_download(struct fg_client *c, const struct fg_task *task, const char *type, int fd)
{
	struct fg_buf url = { 0 };
	enum fg_err   err;
	long          status;
	CURL         *curl;

	address(&url, c, FG_PATH_DOWNLOAD);
	fg_buf_printf(&url, "type=%s&job=%" PRId64 "&revision=0", type, task->id);
	curl = prepare(c, url.data, 0);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SLOW_S);
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_file);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &fd);
	watch(c);
	err = perform(curl, &status);
	fg_buf_free(&url);
	return err;
}

void
fg_task_free(struct fg_task *task)
{
	fg_buf_free(&task->script);
}
