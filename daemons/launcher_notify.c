/* launcher_notify: somebody wants to know that a run has ended: a webhook (JSON by POST) and mail, each sent by a process of its own. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>
#include <json-c/json.h>

#include "base/log.h"
#include "launcher.h"

enum { SECONDS = 30 };

/* What a webhook answers is of no interest; curl would print it. */
static size_t
drop(char *bytes, size_t size, size_t count, void *ctx)
{
	(void)bytes;
	(void)ctx;
	return size * count;
}

static void
post(const struct fg_launch_config *config, const struct job *job)
{
	struct json_object *row = job_row(&job->run);
	CURL               *curl = curl_easy_init();
	struct curl_slist  *headers = curl_slist_append(NULL, "Content-Type: application/json");

	json_object_object_add(row, "host", json_object_new_string(config->host));
	json_object_object_add(row, "message", json_object_new_string(job->run.message));
	curl_easy_setopt(curl, CURLOPT_URL, config->webhook);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json_object_to_json_string_ext(row, JSON_C_TO_STRING_PLAIN));
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SECONDS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	if (curl_easy_perform(curl) != CURLE_OK)
		fg_log(FG_LOG_WARN, "webhook.failed", "run=%" PRId64, job->run.id);
}

struct reader {
	struct fg_buf text;
	size_t        at;
};

static size_t
give(char *to, size_t size, size_t count, void *ctx)
{
	struct reader *reader = ctx;
	const size_t   left = reader->text.len - reader->at, n = size * count < left ? size * count : left;

	memcpy(to, reader->text.data + reader->at, n);
	reader->at += n;
	return n;
}

static void
mail(const struct fg_launch_config *config, const struct job *job)
{
	struct reader      reader = { 0 };
	CURL              *curl = curl_easy_init();
	struct curl_slist *to = NULL;
	char               date[64], one[128];
	const time_t       now = time(NULL);
	struct tm          tm;

	for (const char *at = config->mail_to + strspn(config->mail_to, " "); *at != '\0'; at += strcspn(at, " "), at += strspn(at, " ")) {
		snprintf(one, sizeof(one), "%.*s", (int)strcspn(at, " "), at);
		to = curl_slist_append(to, one);
	}
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &tm));
	fg_buf_printf(&reader.text, "Date: %s\r\nFrom: %s\r\nTo: %s\r\nSubject: Run %" PRId64 " on %s: %s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n", date,
	              config->mail_from, config->mail_to, job->run.id, config->host, job->run.status);
	fg_buf_printf(&reader.text, "%s\r\n%s\r\n%s\r\n", job->run.input, job->run.status, job->run.message);
	curl_easy_setopt(curl, CURLOPT_URL, config->mail_server);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)CURLUSESSL_TRY);
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, config->mail_from);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(curl, CURLOPT_READDATA, &reader);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SECONDS);
	if (curl_easy_perform(curl) != CURLE_OK)
		fg_log(FG_LOG_WARN, "mail.failed", "run=%" PRId64, job->run.id);
}

void
notify_end(struct launcher *l, const struct job *job)
{
	const struct fg_launch_config *config = &l->config;
	sigset_t                       none;

	if ((config->webhook[0] == '\0' && (config->mail_server[0] == '\0' || config->mail_to[0] == '\0')) || fork() != 0)
		return;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	close_range(3, ~0u, 0); /* the loop's descriptors are none of its business */
	alarm(3 * SECONDS);
	if (config->webhook[0] != '\0')
		post(config, job);
	if (config->mail_server[0] != '\0' && config->mail_to[0] != '\0')
		mail(config, job);
	_exit(0);
}
