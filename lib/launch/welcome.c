#include "launch/welcome.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launch/config.h"
#include "launch/ini.h"

static enum fg_err
take(void *ctx, const char *section, const char *key, const char *value)
{
	struct fg_welcome *welcome = ctx;
	char              *const texts[] = { welcome->users, welcome->operators, welcome->networks };
	static const char *const keys[] = { "users", "operators", "networks" };

	for (int i = 0; i < 3 && strcmp(section, "launcher") == 0; i++)
		if (strcmp(key, keys[i]) == 0)
			snprintf(texts[i], sizeof(welcome->users), "%s", value);
	return FG_OK;
}

enum fg_err
fg_welcome_read(struct fg_welcome *out, const char *path)
{
	memset(out, 0, sizeof(*out));
	return access(path, F_OK) == 0 ? fg_ini_file(path, take, out) : FG_ENOTFOUND;
}

static bool
names(const char *list, const char *name)
{
	return fg_word_in(list, name) || fg_word_in(list, "*");
}

bool
fg_welcome_operator(const struct fg_welcome *welcome, const char *name, bool admin)
{
	return admin || names(welcome->operators, name);
}

bool
fg_welcome_user(const struct fg_welcome *welcome, const char *name, bool admin)
{
	return fg_welcome_operator(welcome, name, admin) || names(welcome->users, name);
}

/* --- networks */

struct address {
	unsigned char bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
};

static bool
parse_address(struct address *out, const char *text, bool *four)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET6, text, out->bytes) == 1) {
		*four = false;
		return true;
	}
	memset(out->bytes + 10, 0xff, 2);
	*four = true;
	return inet_pton(AF_INET, text, out->bytes + 12) == 1;
}

static bool
in_network(const char *network, const struct address *address)
{
	char           text[64], *slash, *end;
	struct address base;
	bool           four;
	long           bits = 128;

	snprintf(text, sizeof(text), "%s", network);
	if ((slash = strchr(text, '/')) != NULL)
		*slash = '\0';
	if (!parse_address(&base, text, &four))
		return false;
	if (slash != NULL) {
		bits = strtol(slash + 1, &end, 10);
		if (end == slash + 1 || *end != '\0' || bits < 0 || bits > (four ? 32 : 128))
			return false;
		bits += four ? 96 : 0;
	}
	for (int i = 0; i < bits; i++)
		if (((base.bytes[i / 8] ^ address->bytes[i / 8]) >> (7 - i % 8)) & 1)
			return false;
	return true;
}

bool
fg_welcome_address(const struct fg_welcome *welcome, const char *text)
{
	struct address address;
	bool           four;

	if (!parse_address(&address, text, &four))
		return false;
	for (const char *at = welcome->networks + strspn(welcome->networks, " \t"); *at != '\0'; at += strspn(at, " \t")) {
		const size_t size = strcspn(at, " \t");
		char         one[64];

		if (size < sizeof(one)) {
			snprintf(one, sizeof(one), "%.*s", (int)size, at);
			if (in_network(one, &address))
				return true;
		}
		at += size;
	}
	return false;
}
