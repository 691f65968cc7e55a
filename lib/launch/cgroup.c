#include "launch/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
put(const char *folder, const char *name, const char *text)
{
	char    path[1024];
	ssize_t n;
	int     fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if ((fd = open(path, O_WRONLY | O_CLOEXEC)) < 0)
		return false;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text);
}

static bool
get(char *out, size_t size, const char *folder, const char *name)
{
	char    path[1024];
	ssize_t n;
	int     fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return false;
	n = read(fd, out, size - 1);
	close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n >= 0;
}

static bool
offers(const char *controllers, const char *name)
{
	const size_t len = strlen(name);

	for (const char *at = strstr(controllers, name); at != NULL; at = strstr(at + 1, name))
		if ((at == controllers || at[-1] == ' ') && (at[len] == '\0' || at[len] == ' ' || at[len] == '\n'))
			return true;
	return false;
}

bool
fg_cgroup_make(struct fg_cgroup *out, const char *root, const char *name, int ncpu, const char *cores, int64_t memory_bytes)
{
	char controllers[256], text[64];
	bool sets;

	out->path[0] = '\0';
	if (*root == '\0' || !get(controllers, sizeof(controllers), root, "cgroup.controllers") || !offers(controllers, "cpu") || !offers(controllers, "memory"))
		return false;
	sets = offers(controllers, "cpuset") && put(root, "cgroup.subtree_control", "+cpuset");
	if (!put(root, "cgroup.subtree_control", "+cpu +memory") || snprintf(out->path, sizeof(out->path), "%s/%s", root, name) >= (int)sizeof(out->path) ||
	    (mkdir(out->path, 0755) != 0 && errno != EEXIST)) {
		out->path[0] = '\0';
		return false;
	}
	snprintf(text, sizeof(text), "%d 100000", ncpu * 100000);
	if (put(out->path, "cpu.max", text)) {
		snprintf(text, sizeof(text), "%" PRId64, memory_bytes);
		if ((memory_bytes == 0 || put(out->path, "memory.max", text)) && (!sets || *cores == '\0' || put(out->path, "cpuset.cpus", cores)))
			return true;
	}
	fg_cgroup_remove(out);
	out->path[0] = '\0';
	return false;
}

bool
fg_cgroup_enter(const struct fg_cgroup *cgroup)
{
	char text[24];

	snprintf(text, sizeof(text), "%d", (int)getpid());
	return put(cgroup->path, "cgroup.procs", text);
}

bool
fg_cgroup_freeze(const struct fg_cgroup *cgroup, bool frozen)
{
	return cgroup->path[0] != '\0' && put(cgroup->path, "cgroup.freeze", frozen ? "1" : "0");
}

bool
fg_cgroup_kill(const struct fg_cgroup *cgroup)
{
	return cgroup->path[0] != '\0' && put(cgroup->path, "cgroup.kill", "1");
}

bool
fg_cgroup_starved(const struct fg_cgroup *cgroup)
{
	char        text[512];
	const char *at;

	return cgroup->path[0] != '\0' && get(text, sizeof(text), cgroup->path, "memory.events") && (at = strstr(text, "oom_kill ")) != NULL &&
	       strtol(at + 9, NULL, 10) > 0;
}

void
fg_cgroup_remove(const struct fg_cgroup *cgroup)
{
	if (cgroup->path[0] != '\0')
		rmdir(cgroup->path);
}
