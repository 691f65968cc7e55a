#include "launch/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"

bool
fg_process_get(struct fg_process *out, pid_t pid)
{
	char    path[40], text[1024], *end;
	int     fd, parent, session;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	out->pid = pid;
	if ((end = strrchr(text, ')')) == NULL || /* the name may hold anything */
	    sscanf(end + 1, " %c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64, &out->state, &parent, &session, &out->start) != 4)
		return false;
	out->parent = parent;
	out->session = session;
	return true;
}

int
fg_process_open(pid_t pid, uint64_t start)
{
	struct fg_process process;
	const int         fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	if (fd >= 0 && (!fg_process_get(&process, pid) || process.start != start || process.state == 'Z')) {
		close(fd);
		return -1;
	}
	return fd;
}

/* All processes that live. The list is yours to free. */
static struct fg_process *
list(int *count)
{
	struct fg_process *all = NULL;
	DIR               *dir = opendir("/proc");
	struct dirent     *entry;
	int                room = 0;

	*count = 0;
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		if (*count == room)
			all = fg_realloc(all, (size_t)(room = room * 2 + 256) * sizeof(*all));
		if (fg_process_get(&all[*count], (pid_t)strtol(entry->d_name, NULL, 10)) && all[*count].state != 'Z')
			(*count)++;
	}
	if (dir != NULL)
		closedir(dir);
	return all;
}

static bool
known(const struct fg_process *all, int count, pid_t pid)
{
	for (int i = 0; i < count; i++)
		if (all[i].pid == pid)
			return true;
	return false;
}

/* Brings the descendants of `root` to the front; returns how many. */
static int
descendants(struct fg_process *all, int count, pid_t root)
{
	int  found = 0;
	bool more = true;

	while (more) {
		more = false;
		for (int i = found; i < count; i++)
			if (all[i].parent == root || known(all, found, all[i].parent)) {
				const struct fg_process process = all[i];

				all[i] = all[found];
				all[found++] = process;
				more = true;
			}
	}
	return found;
}

int
fg_tree_signal(pid_t root, int signal_number)
{
	int                count, found;
	struct fg_process *all = list(&count);

	found = descendants(all, count, root);
	for (int i = 0; i < found; i++)
		kill(all[i].pid, signal_number);
	free(all);
	return found;
}

int
fg_tree_suspend(pid_t root)
{
	int before = -1, found = 0;

	for (int pass = 0; pass < 50 && found != before; pass++) { /* until nobody new was born */
		before = found;
		found = fg_tree_signal(root, SIGSTOP);
	}
	return found;
}

int
fg_tree_kill(pid_t root)
{
	fg_tree_suspend(root);
	return fg_tree_signal(root, SIGKILL);
}

int
fg_session_kill(pid_t session, uint64_t since_start)
{
	int                count, found = 0;
	struct fg_process *all = list(&count);

	for (int i = 0; i < count; i++)
		if (all[i].session == session && all[i].start >= since_start && all[i].pid != getpid()) {
			kill(all[i].pid, SIGKILL);
			found++;
		}
	free(all);
	return found;
}

/* What the kernel lists as children of a process's threads is added; false where it keeps no such lists. */
static bool
add_children(struct fg_process **all, int *count, int *room, pid_t parent)
{
	char           path[40], name[96];
	DIR           *tasks;
	struct dirent *task;
	bool           listed = false;
	int            pid;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)parent);
	if ((tasks = opendir(path)) == NULL)
		return true; /* it has gone meanwhile */
	while ((task = readdir(tasks)) != NULL) {
		FILE *f;

		snprintf(name, sizeof(name), "%s/%.12s/children", path, task->d_name);
		if (task->d_name[0] == '.' || (f = fopen(name, "re")) == NULL)
			continue;
		listed = true;
		while (fscanf(f, "%d", &pid) == 1) {
			if (*count == *room)
				*all = fg_realloc(*all, (size_t)(*room = *room * 2 + 16) * sizeof(**all));
			(*all)[(*count)++].pid = pid;
		}
		fclose(f);
	}
	closedir(tasks);
	return listed;
}

/* The descendants' pids alone, without a look at all processes of the host. One that is born or ends meanwhile may be missed. */
static struct fg_process *
family(int *count, pid_t root)
{
	struct fg_process *all = NULL;
	int                room = 0;

	*count = 0;
	if (!add_children(&all, count, &room, root)) {
		all = list(count);
		*count = descendants(all, *count, root);
		return all;
	}
	for (int i = 0; i < *count; i++)
		add_children(&all, count, &room, all[i].pid);
	return all;
}

int64_t
fg_tree_memory(pid_t root)
{
	int                count;
	struct fg_process *all = family(&count, root);
	int64_t            own = 0, shared_most = 0;

	for (int i = 0; i < count; i++) {
		char    path[40];
		int64_t rss = 0, shared = 0;
		FILE   *f;

		snprintf(path, sizeof(path), "/proc/%d/statm", (int)all[i].pid);
		if ((f = fopen(path, "re")) == NULL)
			continue;
		if (fscanf(f, "%*d %" SCNd64 " %" SCNd64, &rss, &shared) == 2) {
			own += rss - shared;
			shared_most = shared > shared_most ? shared : shared_most;
		}
		fclose(f);
	}
	free(all);
	return (own + shared_most) * sysconf(_SC_PAGESIZE);
}

void
fg_boot_id(char out[40])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (f == NULL || fscanf(f, "%39s", out) != 1)
		snprintf(out, 40, "unknown");
	if (f != NULL)
		fclose(f);
}
