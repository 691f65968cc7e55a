#include "farm/scope.h"

#include <string.h>

static const struct {
	const char *name;
	int         bit;
} scopes[] = { { "read", FG_SCOPE_READ }, { "submit", FG_SCOPE_SUBMIT }, { "batch", FG_SCOPE_BATCH }, { "admin", FG_SCOPE_ADMIN }, { "relay", FG_SCOPE_RELAY } };

/* The bit of the word that begins `text`; 0 for none that we know. */
static int
bit_of(const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof(scopes) / sizeof(*scopes); i++)
		if (strlen(scopes[i].name) == len && strncmp(scopes[i].name, text, len) == 0)
			return scopes[i].bit;
	return 0;
}

int
fg_scope_bits(const char *text)
{
	int bits = 0;

	if (text[strspn(text, " ")] == '\0')
		return FG_SCOPE_READ | FG_SCOPE_SUBMIT;
	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		const size_t len = strcspn(text, " ");

		bits |= bit_of(text, len);
		text += len;
	}
	return bits;
}

enum fg_err
fg_scope_check(const char *text)
{
	for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
		const size_t len = strcspn(text, " ");

		if (bit_of(text, len) == 0)
			return fg_fail(FG_EINVAL, "a scope is read, submit, batch, relay or admin, several separated by blanks; not %.*s", (int)(len < 40 ? len : 40), text);
		text += len;
	}
	return FG_OK;
}
