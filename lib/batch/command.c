#include "batch/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"

/* One word at *at into *to, both moved on. */
static enum fg_err
take_word(char **to, const char **at)
{
	char quote = '\0';

	for (; **at != '\0' && (quote != '\0' || strchr(" \t\n", **at) == NULL); (*at)++) {
		const char c = **at;

		if (quote == '\0' && (c == '\'' || c == '"')) {
			quote = c;
		} else if (quote != '\0' && c == quote) {
			quote = '\0';
		} else if (c == '\\' && quote != '\'' && (*at)[1] != '\0') {
			*(*to)++ = *++(*at);
		} else if ((quote == '\0' && strchr("|&;<>*?(){}#~", c) != NULL) || (quote != '\'' && strchr("$`", c) != NULL)) {
			return fg_fail(FG_EINVAL, "hooks are run without a shell: %c means nothing to them; put the work into a script", c);
		} else {
			*(*to)++ = c;
		}
	}
	*(*to)++ = '\0';
	return quote == '\0' ? FG_OK : fg_fail(FG_EINVAL, "a quote has no end");
}

enum fg_err
fg_command_split(struct fg_command *out, const char *text)
{
	char       *to = out->text;
	const char *at = text;
	enum fg_err err = FG_OK;

	out->count = 0;
	if (strlen(text) >= sizeof(out->text) / 2)
		return fg_fail(FG_EINVAL, "a command may have at most %zu bytes", sizeof(out->text) / 2);
	for (at += strspn(at, " \t\n"); err == FG_OK && *at != '\0'; at += strspn(at, " \t\n")) {
		if (out->count >= FG_COMMAND_WORDS)
			return fg_fail(FG_EINVAL, "a command may have at most %d words", FG_COMMAND_WORDS);
		out->words[out->count++] = to;
		err = take_word(&to, &at);
	}
	out->words[out->count] = NULL;
	if (err == FG_OK && out->count == 0)
		err = fg_fail(FG_EINVAL, "the command is empty");
	return err;
}

static bool
matches(const struct fg_command *command, const char *template, size_t len)
{
	const char *end = template + len;
	int         i = 0;

	while (template < end) {
		size_t word;

		template += strspn(template, " \t");
		if (template >= end)
			break;
		word = strcspn(template, " \t;");
		if (i >= command->count)
			return false;
		if (word == 1 && *template == '*' ? i == 0 || command->words[i][0] == '-'
		                                  : strlen(command->words[i]) != word || strncmp(command->words[i], template, word) != 0)
			return false;
		template += word;
		i++;
	}
	return i > 0 && i == command->count;
}

bool
fg_command_allowed(const struct fg_command *command, const char *templates)
{
	if (strcmp(templates, "*") == 0)
		return true;
	while (*templates != '\0') {
		const size_t len = strcspn(templates, ";");

		if (matches(command, templates, len))
			return true;
		templates += len + (templates[len] == ';');
	}
	return false;
}

static void
become(const struct fg_command *command)
{
	const char *home = getenv("HOME"), *display = getenv("DISPLAY"), *bus = getenv("DBUS_SESSION_BUS_ADDRESS"), *runtime = getenv("XDG_RUNTIME_DIR");
	const int   null = open("/dev/null", O_RDONLY);
	sigset_t    none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	dup2(null, STDIN_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	clearenv();
	setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	if (home != NULL)
		setenv("HOME", home, 1);
	if (display != NULL)
		setenv("DISPLAY", display, 1);
	if (bus != NULL)
		setenv("DBUS_SESSION_BUS_ADDRESS", bus, 1);
	if (runtime != NULL)
		setenv("XDG_RUNTIME_DIR", runtime, 1);
	execvp(command->words[0], (char *const *)command->words);
	_exit(127);
}

enum fg_err
fg_command_run(const struct fg_command *command, int seconds)
{
	const int64_t end_ms = fg_steady_ms() + (int64_t)seconds * 1000;
	const pid_t   pid = fork();
	siginfo_t     ended = { .si_pid = 0 };
	int           status = 0;

	if (pid < 0)
		return fg_fail(FG_EIO, "could not start a process: %s", strerror(errno));
	if (pid == 0)
		become(command);
	while (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != pid && fg_steady_ms() < end_ms)
		fg_sleep_ms(20);
	kill(-pid, SIGKILL); /* it leads its group: whatever it left behind ends with it */
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	if (ended.si_pid != pid)
		return fg_fail(FG_EIO, "%.100s took longer than %d seconds and was ended", command->words[0], seconds);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return fg_fail(FG_EIO, WIFEXITED(status) && WEXITSTATUS(status) == 127 ? "%.100s can't be started (status %d)" : "%.100s ended with status %d",
		               command->words[0], WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return FG_OK;
}
