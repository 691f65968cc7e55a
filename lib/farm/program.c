#include "farm/program.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "farm/confine.h"
#include "farm/confined.h"

enum { AFTER_NAME = 20, MOST = 4096 }; /* the fields of /proc/PID/stat behind the name, up to when it began */

/* When a process began, in ticks since boot; 0: there is none. */
static int64_t
born(int64_t pid)
{
	char        path[64], text[1024];
	const char *at;
	ssize_t     len;
	int         fd;

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/stat", pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return 0;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	at = strrchr(text, ')'); /* a name may hold anything, also blanks and brackets */
	for (int field = 0; at != NULL && field < AFTER_NAME; field++)
		if ((at = strchr(at, ' ')) != NULL)
			at++;
	return at != NULL ? strtoll(at, NULL, 10) : 0;
}

void
fg_program_note(struct fg_db *db, const char *name, int64_t now_ms)
{
	if (fg_db_begin(db, FG_NORMAL) == FG_OK)
		fg_db_end(db, fg_db_run(db, FG_SQL_PROGRAM_NOTE, FG_BINDS(FG_I("pid", getpid()), FG_T("name", name), FG_I("born", born(getpid())), FG_I("now_ms", now_ms)), NULL));
}

enum fg_err
fg_program_list(struct fg_db *db, bool (*each)(void *ctx, const struct fg_program *program), void *ctx)
{
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_PROGRAM_LIST, FG_NO_BINDS); err == FG_OK; err = fg_rows_next(&rows)) {
		struct fg_program program = { .pid = fg_rows_int(&rows, 0), .started_ms = fg_rows_int(&rows, 3) };

		fg_rows_copy(&rows, 1, program.name, sizeof(program.name));
		if (born(program.pid) == fg_rows_int(&rows, 2) && !each(ctx, &program))
			break;
	}
	fg_rows_end(&rows);
	return err == FG_ENOTFOUND ? FG_OK : err;
}

enum fg_err
fg_program_sweep(struct fg_db *db)
{
	int64_t        gone[MOST];
	int            count = 0;
	struct fg_rows rows;
	enum fg_err    err;

	for (err = fg_rows_first(&rows, db, FG_SQL_PROGRAM_LIST, FG_NO_BINDS); err == FG_OK && count < MOST; err = fg_rows_next(&rows))
		if (born(fg_rows_int(&rows, 0)) != fg_rows_int(&rows, 2))
			gone[count++] = fg_rows_int(&rows, 0);
	fg_rows_end(&rows);
	if ((err != FG_OK && err != FG_ENOTFOUND) || count == 0 || (err = fg_db_begin(db, FG_NORMAL)) != FG_OK)
		return err == FG_ENOTFOUND ? FG_OK : err;
	for (int i = 0; err == FG_OK && i < count; i++)
		err = fg_db_run(db, FG_SQL_PROGRAM_FORGET, FG_BINDS(FG_I("pid", gone[i])), NULL);
	return fg_db_end(db, err);
}

/* --- versions */

static _Noreturn void
speak(int to, const char *path, const char *word)
{
	const char *const environment[] = { "LC_ALL=C", NULL };

	if (dup2(to, STDOUT_FILENO) < 0 || dup2(to, STDERR_FILENO) < 0)
		_exit(127);
	fg_confined_limits();
	if (!fg_confine(FG_CAGE_PROGRAM))
		_exit(127);
	execve(path, (char *const[]){ (char *)path, (char *)word, NULL }, (char *const *)environment);
	_exit(127);
}

/* "ffmpeg version 5.1.6-0+deb12u1 Copyright …" → "5.1.6-0+deb12u1": from the first figure that begins a word, or stands behind "n" or "v", to the next blank. */
static void
take_version(char *out, size_t size, const char *said)
{
	for (const char *at = strchr(said, ' '); at != NULL; at = strchr(at, ' ')) {
		at += 1 + (at[1] == 'n' || at[1] == 'v');
		if (*at >= '0' && *at <= '9') {
			snprintf(out, size, "%.*s", (int)strcspn(at, " \n"), at);
			return;
		}
	}
}

static void
ask_version(char *out, size_t size, const char *path, const char *word)
{
	char    said[512] = "";
	ssize_t len;
	pid_t   pid;
	int     status = 0, ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return;
	if ((pid = fg_confined_begin()) == 0)
		speak(ends[1], path, word);
	close(ends[1]);
	if (fg_confined_wait(pid, &status) == FG_OK && (len = read(ends[0], said, sizeof(said) - 1)) > 0)
		take_version(out, size, said);
	close(ends[0]);
}

const char *
fg_program_version(const char *path, const char *word)
{
	static char        version[64], of[PATH_MAX];
	static struct stat known;
	struct stat        now;

	if (stat(path, &now) != 0)
		return "";
	if (strcmp(of, path) == 0 && now.st_ino == known.st_ino && now.st_mtim.tv_sec == known.st_mtim.tv_sec)
		return version;
	snprintf(of, sizeof(of), "%s", path);
	known = now;
	version[0] = '\0';
	ask_version(version, sizeof(version), path, word);
	return version;
}
