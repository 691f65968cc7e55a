#include "farm/confined.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "farm/confine.h"

enum { MEMORY = 768 << 20, CPU_S = 20, WALL_S = 30, FILE_MOST = 1 << 30, WORDS = 400, NO_CAGE = 100 };

void
fg_confined_limits(void)
{
	fg_confine_limits(MEMORY, CPU_S, FILE_MOST);
}

pid_t
fg_confined_begin(void)
{
	const pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	setpgid(0, 0);
	signal(SIGTERM, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	return 0;
}

/* At most WALL_S, then it is killed. */
enum fg_err
fg_confined_wait(pid_t pid, int *status)
{
	if (pid < 0)
		return fg_fail(FG_EIO, "could not start a process: %s", strerror(errno));
	for (int ms = 0; ms < WALL_S * 1000;) {
		const pid_t got = waitpid(pid, status, WNOHANG);

		if (got == pid)
			return FG_OK;
		if (got < 0 && errno != EINTR)
			return fg_fail(FG_EIO, "a process was lost: %s", strerror(errno));
		usleep(ms < 50 ? 1000 : 10000);
		ms += ms < 50 ? 1 : 10;
	}
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	waitpid(pid, status, 0);
	return fg_fail(FG_ETIMEOUT, "the picture took longer than %d seconds to decode", WALL_S);
}

static _Noreturn void
do_it(int words, enum fg_err (*work)(void *ctx), void *ctx)
{
	enum fg_err err;

	fg_confined_limits();
	if (!fg_confine(FG_CAGE_DECODE))
		_exit(NO_CAGE);
	if ((err = work(ctx)) != FG_OK)
		(void)!write(words, fg_err_text(err), strnlen(fg_err_text(err), WORDS - 1)); /* fits into the pipe */
	_exit((int)err);
}

static enum fg_err
judge(int status, int words)
{
	char    text[WORDS] = "";
	ssize_t got;

	if (WIFSIGNALED(status))
		return fg_fail(FG_EFORMAT, "the picture could not be decoded: it took too much memory or time, or is damaged");
	if (WEXITSTATUS(status) == 0)
		return FG_OK;
	if (WEXITSTATUS(status) >= FG_ERR_COUNT)
		return fg_fail(FG_EIO, "pictures can't be decoded on this host: its kernel confines no process");
	got = read(words, text, sizeof(text) - 1);
	return got > 0 ? fg_fail((enum fg_err)WEXITSTATUS(status), "%s", text) : (enum fg_err)WEXITSTATUS(status);
}

enum fg_err
fg_confined(enum fg_err (*work)(void *ctx), void *ctx)
{
	int         words[2], status = 0;
	enum fg_err err;
	pid_t       pid;

	if (pipe2(words, O_CLOEXEC | O_NONBLOCK) != 0)
		return fg_fail(FG_EIO, "no descriptors for a process: %s", strerror(errno));
	if ((pid = fg_confined_begin()) == 0)
		do_it(words[1], work, ctx);
	if ((err = fg_confined_wait(pid, &status)) == FG_OK)
		err = judge(status, words[0]);
	close(words[0]);
	close(words[1]);
	return err;
}
