#include "live/redact.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SECRET_LEAST = 32, NAME_LEAST = 3, ADDRESS_MOST = 45 };

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

static size_t
home(const char *at, char before)
{
	static const char *const tops[] = { "/home/", "/Users/", "\\Users\\", "/users/", "/root" };

	(void)before;
	for (size_t i = 0; i < sizeof(tops) / sizeof(*tops); i++) {
		const size_t len = strlen(tops[i]);

		if (strncmp(at, tops[i], len) != 0)
			continue;
		if (i + 1 == sizeof(tops) / sizeof(*tops))
			return path_letter(at[len]) ? 0 : len;
		return path_part(at + len) > 0 ? len + path_part(at + len) : 0;
	}
	return 0;
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

static size_t
address(const char *at, char before)
{
	unsigned char bytes[16];
	char          text[ADDRESS_MOST + 1];
	size_t        len = strspn(at, "0123456789abcdefABCDEF:.");

	if (is_word(before) || before == '.' || before == ':')
		return 0;
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
	const size_t slashes = before != ':' && before != '\\' && before != '/' && (strncmp(at, "\\\\", 2) == 0 || strncmp(at, "//", 2) == 0) ? 2 : 0;

	return slashes > 0 && path_part(at + 2) > 0 ? 2 + path_part(at + 2) : 0;
}

/* What follows the name of a secret. */
static size_t
told(const char *at, char before, size_t *shown)
{
	static const char *const names[] = { "bearer", "token", "api_key", "apikey", "key", "password", "passwd", "secret" };

	if (is_word(before))
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const size_t len = strlen(names[i]);
		size_t       gap;

		if (strncasecmp(at, names[i], len) != 0 || is_word(at[len]))
			continue;
		gap = strspn(at + len, " \t\"'=:");
		if (gap == 0 || (i > 0 && strcspn(at + len, "=:") >= gap))
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

void
fg_redact(struct fg_buf *out, const char *text, const char *const *names, int nnames)
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
