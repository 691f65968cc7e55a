#include "live_guest.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "farm/login.h"
#include "farm/origin.h"
#include "farm/scope.h"
#include "farm/secret.h"
#include "farm/session.h"
#include "live/relay.h"

enum { SECRET = 64 };

static bool
cookie_of(char out[SECRET + 1], const char *cookies, const char *name)
{
	const size_t len = strlen(name);

	for (const char *at = cookies; *at != '\0'; at += strcspn(at, ";")) {
		at += strspn(at, "; \t");
		if (strncmp(at, name, len) != 0 || at[len] != '=')
			continue;
		at += len + 1;
		if (strspn(at, "0123456789abcdef") != SECRET || strcspn(at, "; \t") != SECRET)
			return false;
		memcpy(out, at, SECRET);
		out[SECRET] = '\0';
		return true;
	}
	return false;
}

/* --- origins */

static bool
is_word_of(const char *words, const char *word, size_t len)
{
	for (const char *at = words + strspn(words, " "); *at != '\0'; at += strspn(at, " ")) {
		const size_t one = strcspn(at, " ");

		if (one == len && strncasecmp(at, word, len) == 0)
			return true;
		at += one;
	}
	return false;
}

bool
fg_guest_origin(const struct fg_settings *settings, const char *origin, const char *host)
{
	const char *name = strstr(origin, "://");

	if (origin[0] == '\0')
		return true;
	if (name == NULL)
		return false;
	name += 3;
	return strcasecmp(name, host) == 0 || strcasecmp(origin, settings->public_url) == 0 || is_word_of(settings->public_hosts, name, strlen(name)) ||
	       is_word_of(settings->live_origins, origin, strlen(origin));
}

/* --- networks */

static int
parse(unsigned char out[16], const char *text)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (inet_pton(AF_INET, text, out) == 1)
		return 4;
	if (inet_pton(AF_INET6, text, out) != 1)
		return 0;
	if (memcmp(out, mapped, sizeof(mapped)) != 0)
		return 16;
	memmove(out, out + 12, 4);
	return 4;
}

static bool
same_bits(const unsigned char *a, const unsigned char *b, int bits)
{
	const int rest = bits % 8;

	return memcmp(a, b, (size_t)(bits / 8)) == 0 && (rest == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - rest) == 0);
}

static bool
in_network(const char *network, size_t len, const unsigned char address[16], int size)
{
	unsigned char base[16];
	char          text[64], *slash, *end = NULL;
	int64_t       bits = size * 8;

	if (len >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)len, network);
	if ((slash = strchr(text, '/')) != NULL) {
		*slash = '\0';
		bits = strtol(slash + 1, &end, 10);
		if (end == slash + 1 || *end != '\0')
			return false;
	}
	return parse(base, text) == size && bits >= 0 && bits <= size * 8 && same_bits(base, address, (int)bits);
}

bool
fg_guest_in(const char *networks, const char *address)
{
	unsigned char bytes[16];
	const int     size = parse(bytes, address);

	if (strcmp(networks, "everyone") == 0)
		return true;
	for (const char *at = networks + strspn(networks, " ,"); size > 0 && *at != '\0'; at += strspn(at, " ,")) {
		const size_t len = strcspn(at, " ,");

		if (in_network(at, len, bytes, size))
			return true;
		at += len;
	}
	return false;
}

/* --- people and workers */

static enum fg_err
ask(struct fg_guest *guest, struct fg_farm *farm, int64_t now_ms)
{
	struct fg_user user;
	enum fg_err    err = strcmp(guest->kind, "token") == 0 ? fg_token_find(&user, farm->db, guest->secret, FG_SCOPE_READ, now_ms)
	                                                       : fg_login_find(&user, farm->db, &farm->settings, guest->secret, now_ms);

	if (err == FG_OK)
		guest->user = (user.roles & FG_ROLE_ADMIN) != 0 ? 0 : user.id;
	return err;
}

/* An address alone lets in: then a page must have called us by a name of ours, for a stranger's name may be pointed here. */
static bool
is_own_call(const struct fg_settings *settings, const struct fg_knock *knock)
{
	return knock->origin[0] == '\0' || fg_origin_no_rebinding(settings, knock->host) || is_word_of(settings->live_origins, knock->origin, strlen(knock->origin));
}

enum fg_err
fg_guest_find(struct fg_guest *out, struct fg_farm *farm, const struct fg_knock *knock, int64_t now_ms)
{
	*out = (struct fg_guest){ .user = 0 };
	if (!fg_guest_origin(&farm->settings, knock->origin, knock->host))
		return FG_EFORBIDDEN;
	if (strncasecmp(knock->authorization, "Bearer ", 7) == 0 && strlen(knock->authorization) == 7 + SECRET) {
		snprintf(out->kind, sizeof(out->kind), "token");
		snprintf(out->secret, sizeof(out->secret), "%s", knock->authorization + 7);
		return ask(out, farm, now_ms);
	}
	if (cookie_of(out->secret, knock->cookie, "FGSESSION")) {
		snprintf(out->kind, sizeof(out->kind), "login");
		if (ask(out, farm, now_ms) == FG_OK)
			return FG_OK;
	}
	*out = (struct fg_guest){ .user = 0 };
	if (!is_own_call(&farm->settings, knock))
		return FG_EFORBIDDEN;
	return fg_guest_in(farm->settings.live_public, knock->address) ? FG_OK : FG_EAUTH;
}

enum fg_err
fg_guest_relay(struct fg_guest *out, char name[128], struct fg_farm *farm, const struct fg_knock *knock, int64_t now_ms)
{
	struct fg_user user;
	enum fg_err    err;

	*out = (struct fg_guest){ .kind = "token" };
	if (strncasecmp(knock->authorization, "Bearer ", 7) != 0 || strlen(knock->authorization) != 7 + SECRET)
		return FG_EAUTH;
	snprintf(out->secret, sizeof(out->secret), "%s", knock->authorization + 7);
	if ((err = fg_token_find(&user, farm->db, out->secret, FG_SCOPE_RELAY, now_ms)) != FG_OK)
		return err;
	out->user = user.id;
	snprintf(name, 128, "%s", user.name);
	return FG_OK;
}

bool
fg_guest_may_relay(const struct fg_guest *guest, struct fg_farm *farm, int64_t owner)
{
	const char    *words = farm->settings.relay_viewers;
	struct fg_user user;

	if (guest->kind[0] == '\0')
		return fg_relay_names(words, "public");
	if (guest->user == 0 || guest->user == owner || fg_relay_names(words, "users"))
		return true;
	return fg_user_get(&user, farm->db, guest->user) == FG_OK && fg_relay_names(words, user.name);
}

enum fg_err
fg_guest_worker(struct fg_guest *out, struct fg_farm *farm, const struct fg_knock *knock, int64_t now_ms)
{
	struct fg_session session;
	enum fg_err       err;

	*out = (struct fg_guest){ .user = 0 };
	if (!cookie_of(out->secret, knock->cookie, "FGWORKER"))
		return FG_EAUTH;
	if ((err = fg_session_find(&session, farm->db, &farm->settings, out->secret, now_ms)) == FG_OK)
		out->session = session.id;
	return err;
}

bool
fg_guest_welcome(const struct fg_guest *guest, struct fg_farm *farm, int64_t now_ms)
{
	struct fg_secret secret;
	enum fg_err      err;

	if (guest->kind[0] == '\0')
		return true;
	err = fg_secret_find(&secret, farm->db, guest->kind, guest->secret, now_ms);
	return err == FG_OK ? guest->user != 0 || (secret.roles & FG_ROLE_ADMIN) != 0 : err != FG_EAUTH;
}
