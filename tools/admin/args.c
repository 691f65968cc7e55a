/* args: the command line, taken apart piece by piece. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "admin/admin.h"

static void
take_out(struct admin *admin, int at, int count)
{
	memmove(admin->args + at, admin->args + at + count, (size_t)(admin->count - at - count) * sizeof(*admin->args));
	admin->count -= count;
}

const char *
admin_option(struct admin *admin, const char *name)
{
	const size_t len = strlen(name);

	for (int i = 0; i < admin->count; i++) {
		const char *arg = admin->args[i], *value = NULL;

		if (strcmp(arg, "--") == 0)
			break;
		if (strncmp(arg, "--", 2) != 0 || strncmp(arg + 2, name, len) != 0)
			continue;
		if (arg[2 + len] == '=') {
			value = arg + 3 + len;
			take_out(admin, i, 1);
		} else if (arg[2 + len] == '\0' && i + 1 < admin->count) {
			value = admin->args[i + 1];
			take_out(admin, i, 2);
		}
		if (value != NULL)
			return value;
	}
	return NULL;
}

bool
admin_flag(struct admin *admin, const char *name)
{
	for (int i = 0; i < admin->count && strcmp(admin->args[i], "--") != 0; i++)
		if (strncmp(admin->args[i], "--", 2) == 0 && strcmp(admin->args[i] + 2, name) == 0) {
			take_out(admin, i, 1);
			return true;
		}
	return false;
}

enum fg_err
admin_positions(struct admin *admin, int least, int most, const char *usage)
{
	for (int i = 0; i < admin->count; i++) {
		if (strcmp(admin->args[i], "--") == 0) {
			take_out(admin, i, 1);
			break;
		}
		if (strncmp(admin->args[i], "--", 2) == 0)
			return fg_fail(FG_EINVAL, "%s is no option here, or lacks its value; usage: farmgate-admin %s", admin->args[i], usage);
	}
	if (admin->count < least || admin->count > most)
		return fg_fail(FG_EINVAL, "usage: farmgate-admin %s", usage);
	return FG_OK;
}

enum fg_err
admin_number(int64_t *out, const char *what, const char *text, int64_t min, int64_t max)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || *out < min || *out > max)
		return fg_fail(FG_EINVAL, "%s is a whole number from %" PRId64 " to %" PRId64 ", not %s", what, min, max, text);
	return FG_OK;
}

enum fg_err
admin_id(int64_t *out, const char *text)
{
	return admin_number(out, "an id", text, 1, INT64_MAX);
}

enum fg_err
admin_password(char out[1026], const char *prompt)
{
	struct termios was, quiet;
	const bool     terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &was) == 0;
	char          *got;

	if (terminal) {
		fprintf(stderr, "%s: ", prompt);
		quiet = was;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	got = fgets(out, 1026, stdin);
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
		fputc('\n', stderr);
	}
	if (got == NULL)
		return fg_fail(FG_EINVAL, "give the password on the standard input, as one line");
	out[strcspn(out, "\r\n")] = '\0';
	return FG_OK;
}
