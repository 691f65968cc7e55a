#include "farm/origin.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The name in `HOST:PORT`: how many of its bytes. */
static size_t
name_length(const char *host)
{
	const char *end = host[0] == '[' ? strchr(host, ']') : NULL;

	return end != NULL ? (size_t)(end + 1 - host) : strcspn(host, ":/ ");
}

static bool
same_name(const char *a, size_t len, const char *b)
{
	return name_length(b) == len && strncasecmp(a, b, len) == 0;
}

bool
fg_origin_name(const struct fg_settings *settings, const char *host)
{
	static const char *const always[] = { "127.0.0.1", "localhost", "[::1]" };
	const size_t             len = name_length(host);
	const char              *url = strstr(settings->public_url, "://");

	if (len == 0)
		return false;
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		if (same_name(host, len, always[i]))
			return true;
	if (url != NULL && same_name(host, len, url + 3))
		return true;
	for (const char *at = settings->public_hosts + strspn(settings->public_hosts, " "); *at != '\0'; at += strcspn(at, " "), at += strspn(at, " "))
		if (same_name(host, len, at))
			return true;
	return false;
}

bool
fg_origin_no_rebinding(const struct fg_settings *settings, const char *host)
{
	const size_t  len = name_length(host);
	const bool    six = len > 2 && host[0] == '[';
	unsigned char address[16];
	char          text[64];

	if (len < sizeof(text)) {
		snprintf(text, sizeof(text), "%.*s", (int)(six ? len - 2 : len), host + six);
		if (inet_pton(six ? AF_INET6 : AF_INET, text, address) == 1)
			return true;
	}
	return fg_origin_name(settings, host);
}

bool
fg_origin_ours(const struct fg_settings *settings, const char *origin, const char *host)
{
	const char *name = strstr(origin, "://");

	if (origin[0] == '\0')
		return true;
	return name != NULL && (strcasecmp(name + 3, host) == 0 || fg_origin_name(settings, name + 3));
}
