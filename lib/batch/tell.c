#include "batch/tell.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/beneath.h"
#include "base/fs.h"
#include "base/random.h"
#include "text/xml.h"

enum { MAIL_SECONDS = 60 };

/** A batch in figures. */
struct sums {
	struct fg_xml *xml;
	int64_t        batch;
	int            jobs, ended, finished, slowest, fastest; /**< jobs: enabled ones */
	int64_t        spent_ms, slowest_ms, fastest_ms, running_since_ms;
};

static bool
is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static void
count(void *ctx, const struct fg_batch_job *job)
{
	struct sums  *s = ctx;
	const int64_t took_ms = job->finished_ms - job->started_ms;

	if (is(job->state, "DISABLED"))
		return;
	s->jobs++;
	if (is(job->state, "RUNNING"))
		s->running_since_ms = job->started_ms;
	if (is(job->state, "FINISHED") || is(job->state, "FAILED") || is(job->state, "CANCELLED"))
		s->ended++;
	if (!is(job->state, "FINISHED"))
		return;
	if (s->finished++ == 0 || took_ms > s->slowest_ms)
		s->slowest_ms = took_ms;
	if (s->finished == 1 || took_ms < s->fastest_ms)
		s->fastest_ms = took_ms;
	s->spent_ms += took_ms;
}

/* H:MM:SS.cc */
static const char *
span(char out[32], int64_t ms)
{
	snprintf(out, 32, "%" PRId64 ":%02d:%02d.%02d", ms / 3600000, (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms / 10 % 100));
	return out;
}

static const char *
date(char out[64], int64_t ms, const char *format)
{
	const time_t seconds = (time_t)(ms / 1000);
	struct tm    parts;

	gmtime_r(&seconds, &parts);
	strftime(out, 64, format, &parts);
	return out;
}

static void
element(struct fg_xml *xml, const char *name, const char *text)
{
	fg_xml_open(xml, name);
	fg_xml_text(xml, text);
	fg_xml_close(xml);
}

static void
item(struct fg_xml *xml, const char *title, const char *description, int64_t batch, const char *what)
{
	char guid[64];

	snprintf(guid, sizeof(guid), "farmgate-batch-%" PRId64 "-%s", batch, what);
	fg_xml_open(xml, "item");
	element(xml, "title", title);
	element(xml, "description", description);
	fg_xml_open(xml, "guid");
	fg_xml_attr(xml, "isPermaLink", "false");
	fg_xml_text(xml, guid);
	fg_xml_close(xml);
	fg_xml_close(xml);
}

static void
job_item(void *ctx, const struct fg_batch_job *job)
{
	const struct sums *s = ctx;
	char               title[320], text[1400], what[16], at[64], took[32];

	snprintf(title, sizeof(title), "[%s] %s", is(job->state, "RUNNING") ? "PROCESSING NOW" : job->state, job->name);
	if (job->finished_ms > 0)
		snprintf(text, sizeof(text), "%s on %s, after %s.%s%s", job->state, date(at, job->finished_ms, "%d %b, %Y at %H:%M UTC"),
		         span(took, job->finished_ms - job->started_ms), job->message[0] != '\0' ? " " : "", job->message);
	else if (job->started_ms > 0)
		snprintf(text, sizeof(text), "Started on %s.", date(at, job->started_ms, "%d %b, %Y at %H:%M UTC"));
	else
		snprintf(text, sizeof(text), "%s", is(job->state, "DISABLED") ? "Not rendered." : is(job->state, "CANCELLED") ? "Cancelled." : "Waits for its turn.");
	snprintf(what, sizeof(what), "%d", job->number);
	item(s->xml, title, text, s->batch, what);
}

/* What the jobs so far took, for those that are left, less what the running one has had. */
static int64_t
left_ms(const struct sums *s, int64_t now_ms)
{
	const int64_t each = s->finished > 0 ? s->spent_ms / s->finished : 0, running = s->running_since_ms > 0 ? now_ms - s->running_since_ms : 0;
	const int64_t left = each * (s->jobs - s->ended) - (running < each ? running : each);

	return left > 0 ? left : 0;
}

static void
progress_item(const struct sums *s, const struct fg_batch *batch, int64_t now_ms)
{
	const int64_t elapsed = batch->started_ms > 0 ? (batch->finished_ms > 0 ? batch->finished_ms : now_ms) - batch->started_ms : 0;
	char          text[256], a[32], b[32];
	int           len = snprintf(text, sizeof(text), "%d of %d jobs completed. %s elapsed.", s->ended, s->jobs, span(a, elapsed));

	if (batch->finished_ms == 0 && s->finished > 0)
		snprintf(text + len, sizeof(text) - (size_t)len, " %s estimated remaining.", span(b, left_ms(s, now_ms)));
	item(s->xml, "Progress", text, batch->id, "progress");
}

static void
channel(struct sums *s, const struct fg_farm *farm, const struct fg_batch *batch, int64_t now_ms)
{
	char title[FG_RECIPE_PATH + 32], text[256], a[64], b[64], link[600];
	int  len;

	snprintf(title, sizeof(title), "Batch Render: %s", batch->name);
	snprintf(link, sizeof(link), "%s/batches.html?id=%" PRId64, farm->settings.public_url, batch->id);
	len = snprintf(text, sizeof(text), "Batch started on: %s.", date(a, batch->started_ms, "%d %b, %Y at %H:%M UTC"));
	if (batch->finished_ms > 0)
		snprintf(text + len, sizeof(text) - (size_t)len, " Completed on: %s.", date(b, batch->finished_ms, "%d %b, %Y at %H:%M UTC"));
	element(s->xml, "title", title);
	element(s->xml, "link", link);
	element(s->xml, "description", text);
	element(s->xml, "lastBuildDate", date(a, now_ms, "%a, %d %b %Y %H:%M:%S +0000"));
	element(s->xml, "generator", "Farmgate");
}

enum fg_err
fg_tell_feed(struct fg_buf *out, struct fg_farm *farm, const struct fg_batch *batch, int64_t now_ms)
{
	struct sums s = { .batch = batch->id };
	size_t      len;
	const char *text;
	enum fg_err err = fg_batch_jobs(farm->db, batch->id, count, &s);

	if (err != FG_OK)
		return err;
	s.xml = fg_xml_begin("rss");
	fg_xml_attr(s.xml, "version", "2.0");
	fg_xml_open(s.xml, "channel");
	channel(&s, farm, batch, now_ms);
	progress_item(&s, batch, now_ms);
	err = fg_batch_jobs(farm->db, batch->id, job_item, &s);
	text = fg_xml_end(s.xml, &len);
	fg_buf_add(out, text, len);
	fg_xml_free(s.xml);
	return err;
}

enum fg_err
fg_tell_write_feed(struct fg_farm *farm, const struct fg_batch *batch, const char *path, int64_t now_ms)
{
	struct fg_buf feed = { 0 };
	const int     fd = memfd_create("feed", MFD_CLOEXEC);
	enum fg_err   err = fd >= 0 ? fg_tell_feed(&feed, farm, batch, now_ms) : fg_fail(FG_EIO, "no memory for the feed");

	if (err == FG_OK && (err = fg_fs_write(fd, feed.data, feed.len)) == FG_OK)
		err = fg_beneath_write(farm->settings.batch_output_folders, path, fd);
	if (fd >= 0)
		close(fd);
	fg_buf_free(&feed);
	return err;
}

/* --- mail */

/** The letter on its way out. */
struct letter {
	struct fg_buf text;
	size_t        sent;
	bool          anywhere; /**< also to servers of private networks */
};

static size_t
read_letter(char *to, size_t size, size_t n, void *ctx)
{
	struct letter *letter = ctx;
	size_t         len = letter->text.len - letter->sent;

	if (len > size * n)
		len = size * n;
	memcpy(to, letter->text.data + letter->sent, len);
	letter->sent += len;
	return len;
}

static bool
is_public(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		const uint32_t ip = ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr);

		return ip >> 24 != 127 && ip >> 24 != 10 && ip >> 24 != 0 && ip >> 20 != 0xac1 && ip >> 16 != 0xc0a8 && ip >> 16 != 0xa9fe && ip >> 22 != 0x191 &&
		       ip >> 28 != 0xe && ip >> 28 != 0xf;
	}
	if (address->sa_family == AF_INET6) {
		const unsigned char *ip = ((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr;

		return (ip[0] & 0xe0) == 0x20 && !(ip[0] == 0x20 && ip[1] == 0x02); /* 2000::/3 without 6to4 */
	}
	return false;
}

static curl_socket_t
open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	const struct letter *letter = ctx;

	(void)purpose;
	if (!letter->anywhere && !is_public(&address->addr))
		return CURL_SOCKET_BAD;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A header's text in one line, in the plain way for ASCII and as an encoded word otherwise. */
static void
header(struct fg_buf *out, const char *name, const char *value)
{
	bool plain = true;

	for (const char *c = value; *c != '\0'; c++)
		plain = plain && *c >= ' ' && *c < 127;
	if (plain) {
		fg_buf_printf(out, "%s: %s\r\n", name, value);
		return;
	}
	fg_buf_printf(out, "%s: =?UTF-8?Q?", name);
	for (const char *c = value; *c != '\0'; c++)
		if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9'))
			fg_buf_char(out, *c);
		else
			fg_buf_printf(out, "=%02X", (unsigned char)*c);
	fg_buf_str(out, "?=\r\n");
}

static void
write_letter(struct fg_buf *out, const struct fg_batch *batch, const struct fg_recipe *recipe, const struct sums *s, int64_t now_ms)
{
	char at[64], id[33], a[32], b[32], c[32], d[32], subject[FG_RECIPE_PATH + 64];

	fg_random_hex(id, 16);
	snprintf(subject, sizeof(subject), "Batch %s has finished rendering", batch->name);
	fg_buf_printf(out, "Date: %s\r\n", date(at, now_ms, "%a, %d %b %Y %H:%M:%S +0000"));
	fg_buf_printf(out, "From: %s\r\n", strchr(recipe->mail.user, '@') != NULL ? recipe->mail.user : recipe->mail.to);
	fg_buf_printf(out, "To: %s\r\n", recipe->mail.to);
	header(out, "Subject", subject);
	fg_buf_printf(out, "Message-ID: <%s@farmgate.invalid>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	                   "Content-Transfer-Encoding: 8bit\r\n\r\n", id);
	fg_buf_printf(out, "%s.\r\n\r\n%d of %d jobs came out.\r\nTotal time: %s\r\n", subject, s->finished, s->jobs, span(a, batch->finished_ms - batch->started_ms));
	if (s->finished > 0)
		fg_buf_printf(out, "Average: %s\r\nSlowest: %s\r\nFastest: %s\r\n", span(b, s->spent_ms / s->finished), span(c, s->slowest_ms),
		              span(d, s->fastest_ms));
}

/* smtps where TLS comes first (port 465, or no port said), STARTTLS on the others. */
static void
address_of(char out[320], long *tls, const struct fg_recipe *recipe)
{
	const char *port = strrchr(recipe->mail.server, ':');
	const bool  first = recipe->mail.ssl && (port == NULL || is(port, ":465"));

	snprintf(out, 320, "%s://%s", first ? "smtps" : "smtp", recipe->mail.server);
	*tls = recipe->mail.ssl ? CURLUSESSL_ALL : CURLUSESSL_TRY;
}

static bool
usual_port(const char *server)
{
	const char *port = strrchr(server, ':');

	return port == NULL || is(port, ":25") || is(port, ":465") || is(port, ":587") || is(port, ":2525");
}

static enum fg_err
post(struct letter *letter, const struct fg_recipe *recipe)
{
	CURL              *curl = curl_easy_init();
	struct curl_slist *to = curl_slist_append(NULL, recipe->mail.to);
	char               url[320], why[CURL_ERROR_SIZE] = "";
	CURLcode           code;
	long               tls;

	address_of(url, &tls, recipe);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_USE_SSL, tls);
	if (recipe->mail.user[0] != '\0') {
		curl_easy_setopt(curl, CURLOPT_USERNAME, recipe->mail.user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, recipe->mail.pass);
	}
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, strchr(recipe->mail.user, '@') != NULL ? recipe->mail.user : recipe->mail.to);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_letter);
	curl_easy_setopt(curl, CURLOPT_READDATA, letter);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, letter);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)MAIL_SECONDS);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
	code = curl_easy_perform(curl);
	curl_slist_free_all(to);
	curl_easy_cleanup(curl);
	return code == CURLE_OK ? FG_OK : fg_fail(FG_EIO, "the mail server %.100s did not take it: %.200s", recipe->mail.server, why[0] != '\0' ? why : curl_easy_strerror(code));
}

enum fg_err
fg_tell_mail(struct fg_farm *farm, const struct fg_batch *batch, const struct fg_recipe *recipe, int64_t now_ms)
{
	struct letter letter = { .anywhere = farm->settings.batch_own_machine == 1 };
	struct sums   s = { .batch = batch->id };
	enum fg_err   err;

	if (!letter.anywhere && !usual_port(recipe->mail.server))
		return fg_fail(FG_EINVAL, "mail goes to the ports 25, 465, 587 and 2525 only");
	if (strpbrk(recipe->mail.user, "\r\n") != NULL)
		return fg_fail(FG_EINVAL, "the mail's user has a line end in it");
	if ((err = fg_batch_jobs(farm->db, batch->id, count, &s)) != FG_OK)
		return err;
	write_letter(&letter.text, batch, recipe, &s, now_ms);
	err = post(&letter, recipe);
	fg_buf_free(&letter.text);
	return err;
}
