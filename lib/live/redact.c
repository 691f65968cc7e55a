#include "live/redact.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SECRET_LEAST = 32, NAME_LEAST = 3, NAME_MOST = 64, ADDRESS_MOST = 45, MAC_LEN = 17, LEARNED_MOST = 16 };

static const char word_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
static const char hex_letters[] = "0123456789abcdefABCDEF";

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool
path_letter(char c)
{
	return c != '\0' && !isspace((unsigned char)c) && strchr("/\\\"':;<>|,()", c) == NULL;
}

static size_t
path_part(const char *at)
{
	size_t len = 0;

	while (path_letter(at[len]))
		len++;
	return len;
}

/* Each reader says how many bytes at `at` it takes, 0 none; `before` is the byte in front. */

/* A folder's name that may have blanks ("John Smith"): they count when the path goes on behind them. */
static size_t
path_part_with_blanks(const char *at)
{
	size_t len = path_part(at), part = len;

	while (len > 0 && at[part] == ' ' && part < NAME_MOST) {
		const size_t more = path_part(at + part + 1);

		if (more == 0)
			break;
		part += 1 + more;
		if (at[part] == '/' || at[part] == '\\')
			len = part;
	}
	return len;
}

/* Separators may be doubled, as in Python's texts. `who`: where the person's name begins in it; 0 nowhere. */
static size_t
home_of(const char *at, size_t *who)
{
	static const char *const tops[] = { "/home/", "/Users/", "\\Users\\", "/root" };

	*who = 0;
	for (size_t i = 0; i < sizeof(tops) / sizeof(*tops); i++) {
		size_t len = strlen(tops[i]);

		if (strncasecmp(at, tops[i], len) != 0)
			continue;
		if (i + 1 == sizeof(tops) / sizeof(*tops))
			return path_letter(at[len]) ? 0 : len;
		len += strspn(at + len, "/\\");
		*who = len;
		return path_part(at + len) > 0 ? len + path_part_with_blanks(at + len) : 0;
	}
	return 0;
}

static size_t
home(const char *at, char before)
{
	size_t who;

	(void)before;
	return home_of(at, &who);
}

static size_t
mail(const char *at, char before)
{
	static const char name_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+-";
	const size_t      name = strspn(at, name_letters);
	size_t            host;

	if (name == 0 || at[name] != '@' || is_word(before))
		return 0;
	host = strspn(at + name + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-");
	return host > 0 ? name + 1 + host : 0;
}

/* 00:1a:2b:3c:4d:5e */
static bool
is_mac(const char *at)
{
	for (int i = 0; i < MAC_LEN; i++)
		if (i % 3 == 2 ? at[i] != at[2] || (at[i] != ':' && at[i] != '-') : at[i] == '\0' || strchr(hex_letters, at[i]) == NULL)
			return false;
	return !is_word(at[MAC_LEN]) && at[MAC_LEN] != at[2];
}

static size_t
address(const char *at, char before)
{
	unsigned char bytes[16];
	char          text[ADDRESS_MOST + 1];
	size_t        len = strspn(at, "0123456789abcdefABCDEF:.");

	if (is_word(before) || before == '.' || before == ':')
		return 0;
	if (is_mac(at))
		return MAC_LEN;
	while (len > 0 && (at[len - 1] == '.' || (at[len - 1] == ':' && (len < 2 || at[len - 2] != ':'))))
		len--;
	for (; len >= 2; len--) { /* the longest beginning that is one: a port may follow */
		if (len > ADDRESS_MOST)
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)len, at);
		if (inet_pton(AF_INET, text, bytes) == 1)
			return is_word(at[len]) ? 0 : len;
		if (inet_pton(AF_INET6, text, bytes) == 1)
			return is_word(at[len]) || len < 4 ? 0 : len;
	}
	return 0;
}

static size_t
share(const char *at, char before)
{
	const size_t slashes = !is_word(before) && before != ':' && before != '\\' && before != '/' && (strncmp(at, "\\\\", 2) == 0 || strncmp(at, "//", 2) == 0) ? 2 : 0;

	return slashes > 0 && path_part(at + 2) > 0 ? 2 + path_part(at + 2) : 0;
}

/* https://name:password@host */
static size_t
userinfo(const char *at, char before)
{
	const size_t len = before == ':' && strncmp(at, "//", 2) == 0 ? 2 + strcspn(at + 2, " \t\r\n\"'<>/?#@") : 0;

	return len > 2 && at[len] == '@' ? len + 1 : 0;
}

/* A header of HTTP that is a secret to its line's end; of Authorization the scheme stays. */
static size_t
told_header(const char *at, size_t *shown)
{
	static const char *const names[] = { "authorization:", "cookie:" }, *const schemes[] = { "bearer ", "basic ", "digest ", "token " };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t len = strlen(names[i]), rest;

		if (strncasecmp(at, names[i], len) != 0)
			continue;
		len += strspn(at + len, " \t");
		for (size_t j = 0; i == 0 && j < sizeof(schemes) / sizeof(*schemes); j++)
			if (strncasecmp(at + len, schemes[j], strlen(schemes[j])) == 0) {
				len += strlen(schemes[j]);
				break;
			}
		*shown = len;
		rest = strcspn(at + len, "\r\n\"'");
		return rest > 0 ? len + rest : 0;
	}
	return 0;
}

/* What follows the name of a secret, also of one that ends in it (ACCESS_TOKEN), or behind an option (--token x). */
static size_t
told(const char *at, char before, size_t *shown)
{
	static const char *const names[] = { "bearer", "token", "api_key", "apikey", "key", "password", "passwd", "passphrase", "pwd", "secret" };
	const size_t             header = isalnum((unsigned char)before) == 0 ? told_header(at, shown) : 0;

	if (header > 0 || isalnum((unsigned char)before))
		return header;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const size_t len = strlen(names[i]);
		size_t       gap;

		if (strncasecmp(at, names[i], len) != 0 || is_word(at[len]))
			continue;
		gap = strspn(at + len, " \t\"'=:");
		if (gap == 0 || (i > 0 && before != '-' && strcspn(at + len, "=:") >= gap))
			return 0;
		*shown = len + gap;
		return *shown + strcspn(at + *shown, " \t\r\n\"',;&");
	}
	return 0;
}

static size_t
secret(const char *at, char before)
{
	const size_t hex = strspn(at, hex_letters), base64 = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+=_-");
	bool         digit = false, letter = false;

	if (is_word(before))
		return 0;
	if (hex >= SECRET_LEAST && !is_word(at[hex]))
		return hex;
	for (size_t i = 0; i < base64; i++) {
		digit |= isdigit((unsigned char)at[i]) != 0;
		letter |= isalpha((unsigned char)at[i]) != 0;
	}
	return base64 >= SECRET_LEAST && digit && letter ? base64 : 0;
}

static size_t
name(const char *at, char before, const char *const *names, int nnames)
{
	if (is_word(before))
		return 0;
	for (int i = 0; i < nnames; i++) {
		const size_t len = strlen(names[i]);

		if (len >= NAME_LEAST && strncasecmp(at, names[i], len) == 0 && strchr(word_letters, at[len] != '\0' ? at[len] : ' ') == NULL)
			return len;
	}
	return 0;
}

/* Whose homes a text names: they may stand elsewhere in it alone. */
static int
learn(char learned[LEARNED_MOST][NAME_MOST], const char *text)
{
	int    count = 0;
	size_t len, who;

	for (; *text != '\0' && count < LEARNED_MOST; text += len > 0 ? len : 1) {
		len = home_of(text, &who);
		if (len <= who || who == 0 || len - who >= NAME_MOST)
			continue;
		snprintf(learned[count], NAME_MOST, "%.*s", (int)(len - who), text + who);
		count += strcasecmp(learned[count], "public") != 0 && strcasecmp(learned[count], "shared") != 0 && strcasecmp(learned[count], "default") != 0;
	}
	return count;
}

static void
redact(struct fg_buf *out, const char *text, const char *const *names, int nnames)
{
	for (char before = ' '; *text != '\0';) {
		size_t len, shown = 0;

		if ((len = home(text, before)) > 0)
			fg_buf_char(out, '~');
		else if ((len = told(text, before, &shown)) > 0) {
			fg_buf_add(out, text, shown);
			fg_buf_str(out, "<secret>");
		} else if ((len = mail(text, before)) > 0)
			fg_buf_str(out, "<mail>");
		else if ((len = userinfo(text, before)) > 0)
			fg_buf_str(out, "//<secret>@");
		else if ((len = address(text, before)) > 0)
			fg_buf_str(out, "<address>");
		else if ((len = share(text, before)) > 0) {
			fg_buf_add(out, text, 2);
			fg_buf_str(out, "<host>");
		} else if ((len = secret(text, before)) > 0)
			fg_buf_str(out, "<secret>");
		else if ((len = name(text, before, names, nnames)) > 0)
			fg_buf_str(out, "<name>");
		else {
			fg_buf_char(out, *text);
			len = 1;
		}
		before = text[len - 1];
		text += len;
	}
}

void
fg_redact(struct fg_buf *out, const char *text, const char *const *names, int nnames)
{
	char        learned[LEARNED_MOST][NAME_MOST];
	const int   nlearned = learn(learned, text);
	const char *all[LEARNED_MOST + FG_REDACT_NAMES];
	int         count = 0;

	for (int i = 0; i < nnames && i < FG_REDACT_NAMES; i++)
		all[count++] = names[i];
	for (int i = 0; i < nlearned; i++)
		all[count++] = learned[i];
	redact(out, text, all, count);
}
