#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <json-c/json.h>

#include "batch/tool.h"

static size_t
take(char *bytes, size_t size, size_t n, void *ctx)
{
	struct fg_buf *out = ctx;

	if (out->len + size * n > (size_t)64 << 20)
		return 0;
	fg_buf_add(out, bytes, size * n);
	return size * n;
}

static int
go_on(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)ctx, (void)a, (void)b, (void)c, (void)d;
	return tool_stopping ? 1 : 0;
}

static CURL *
prepare(struct fg_buf *answer, struct curl_slist **headers, char why[CURL_ERROR_SIZE], const struct tool_api *api, const char *path)
{
	CURL *curl = curl_easy_init();
	char  url[1024], bearer[200];

	fg_buf_clear(answer);
	snprintf(url, sizeof(url), "%s%s", api->url, path);
	snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s", api->token);
	*headers = curl_slist_append(NULL, "Expect:");
	if (api->token[0] != '\0')
		*headers = curl_slist_append(*headers, bearer);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, go_on);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
	if (api->ca_file != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO, api->ca_file);
	return curl;
}

static int
perform(CURL *curl, struct curl_slist *headers, const char *why, const struct tool_api *api)
{
	long     status = 0;
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if ((code = curl_easy_perform(curl)) != CURLE_OK)
		fg_fail(FG_EIO, "%s does not answer: %s", api->url, why[0] != '\0' ? why : curl_easy_strerror(code));
	else
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return (int)status;
}

int
tool_ask(struct fg_buf *answer, const struct tool_api *api, const char *method, const char *path, const char *type, const void *body, size_t len)
{
	struct curl_slist *headers;
	char               why[CURL_ERROR_SIZE] = "", content[100];
	CURL              *curl = prepare(answer, &headers, why, api, path);

	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 120L);
	if (body != NULL) {
		snprintf(content, sizeof(content), "Content-Type: %s", type);
		headers = curl_slist_append(headers, content);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	}
	return perform(curl, headers, why, api);
}

int
tool_send_file(struct fg_buf *answer, const struct tool_api *api, const char *path)
{
	struct curl_slist *headers;
	char               why[CURL_ERROR_SIZE] = "";
	CURL              *curl = prepare(answer, &headers, why, api, "/batch/file");
	curl_mime         *form = curl_mime_init(curl);
	curl_mimepart     *file = curl_mime_addpart(form);
	int                status;

	curl_mime_name(file, "file");
	curl_mime_filedata(file, path);
	curl_easy_setopt(curl, CURLOPT_MIMEPOST, form);
	status = perform(curl, headers, why, api);
	curl_mime_free(form);
	return status;
}

const char *
tool_said(const struct fg_buf *answer)
{
	static char  text[600];
	json_object *json = json_tokener_parse(fg_buf_text(answer)), *status = NULL;

	if (json_object_object_get_ex(json, "status", &status) || json_object_object_get_ex(json, "message", &status))
		snprintf(text, sizeof(text), "%s", json_object_get_string(status));
	else
		snprintf(text, sizeof(text), "%.500s", fg_buf_text(answer));
	json_object_put(json);
	return text;
}
