#include "launch/config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launch/ini.h"

#define TEXT(name_) TEXT_AT(#name_, name_)
#define TEXT_AT(key_, name_) { key_, offsetof(struct fg_launch_config, name_), sizeof(((struct fg_launch_config *)0)->name_) }
static const struct {
	const char *key;
	size_t      offset, size;
} texts[] = {
	TEXT(host), TEXT(state_dir), TEXT(rules_dir), TEXT(run_program), TEXT(cgroup_root), TEXT(trash), TEXT(hosts), TEXT(origins),
	TEXT_AT("users", welcome.users), TEXT_AT("operators", welcome.operators), TEXT_AT("networks", welcome.networks), TEXT(keep), TEXT(webhook), TEXT(mail_to), TEXT(mail_from), TEXT(mail_server),
};

#define NUMBER(name_, standard_, min_, max_) { #name_, offsetof(struct fg_launch_config, name_), standard_, min_, max_ }
static const struct {
	const char *key;
	size_t      offset;
	int64_t     standard, min, max;
} numbers[] = {
	NUMBER(cores, 0, 0, 4096),                          /* 0: what the machine has */
	NUMBER(memory_bytes, 0, 0, INT64_C(1) << 50),       /* 0: what the machine has */
	NUMBER(head_bytes, 8 << 20, 4096, INT64_C(1) << 40),
	NUMBER(tail_bytes, 8 << 20, 4096, INT64_C(1) << 40),
	NUMBER(polite_seconds, 60, 0, 86400),
	NUMBER(term_seconds, 10, 0, 3600),
	NUMBER(queue_max, 1000, 1, 100000),
	NUMBER(requeue, 0, 0, 1),
	NUMBER(history_days, 365, 0, 36500),                /* 0: for ever */
	NUMBER(mass_warning_pct, 5, 0, 1000),
	NUMBER(memory_slack_bytes, INT64_C(4) << 30, 0, INT64_C(1) << 50), /* solvers take more than they say */
};

struct reader {
	struct fg_launch_config *config;
	const char              *rules_dir;
};

static enum fg_err
add_folder(struct fg_launch_config *config, const char *value)
{
	char   real[PATH_MAX];
	size_t len = strlen(value);

	if (config->folders == FG_FOLDERS_MAX)
		return fg_fail(FG_EINVAL, "at most %d folders", FG_FOLDERS_MAX);
	while (len > 1 && value[len - 1] == '/')
		len--;
	if (value[0] != '/' || len < 2 || len >= sizeof(config->folder[0].path))
		return fg_fail(FG_EINVAL, "folder takes an absolute path, not / itself");
	if (realpath(value, real) != NULL && strcmp(real, "/") == 0)
		return fg_fail(FG_EINVAL, "folder leads to /");
	snprintf(config->folder[config->folders].path, sizeof(config->folder[0].path), "%.*s", (int)len, value);
	config->folder[config->folders++].fd = -1;
	return FG_OK;
}

static enum fg_err
add_environment(struct fg_launch_config *config, const char *value)
{
	const size_t len = strlen(config->environment), name = strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	if (name == 0 || value[name] != '=' || len + strlen(value) + 2 > sizeof(config->environment))
		return fg_fail(FG_EINVAL, "environment takes NAME=value, at most %zu characters in all", sizeof(config->environment));
	snprintf(config->environment + len, sizeof(config->environment) - len, "%s\n", value);
	return FG_OK;
}

static enum fg_err
take_launcher(struct fg_launch_config *config, const char *key, const char *value)
{
	if (strcmp(key, "folder") == 0)
		return add_folder(config, value);
	if (strcmp(key, "environment") == 0)
		return add_environment(config, value);
	if (strcmp(key, "listen") == 0) {
		if (config->listens == FG_LISTEN_MAX)
			return fg_fail(FG_EINVAL, "at most %d addresses to listen at", FG_LISTEN_MAX);
		return fg_ini_copy(config->listen[config->listens++], sizeof(config->listen[0]), key, value);
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (strcmp(key, texts[i].key) == 0)
			return fg_ini_copy((char *)config + texts[i].offset, texts[i].size, key, value);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (strcmp(key, numbers[i].key) == 0) {
			char         *end;
			const int64_t number = strtoll(value, &end, 10);

			if (end == value || *end != '\0' || number < numbers[i].min || number > numbers[i].max)
				return fg_fail(FG_EINVAL, "%s must be a whole number from %" PRId64 " to %" PRId64, key, numbers[i].min, numbers[i].max);
			memcpy((char *)config + numbers[i].offset, &number, sizeof(number));
			return FG_OK;
		}
	return fg_fail(FG_EINVAL, "there is no key %.60s in [launcher]", key);
}

/* The place for a section's name: the one that has it, or a new one. */
static void *
place(void *first, int *count, int max, size_t size, const char *name)
{
	for (int i = 0; i < *count; i++) /* each struct begins with its name */
		if (strcmp((char *)first + (size_t)i * size, name) == 0)
			return (char *)first + (size_t)i * size;
	if (*count == max || *name == '\0')
		return NULL;
	snprintf((char *)first + (size_t)*count * size, 64, "%s", name);
	return (char *)first + (size_t)(*count)++ * size;
}

static enum fg_err
take_solver(struct reader *reader, const char *name, const char *key, const char *value)
{
	struct fg_launch_config *config = reader->config;
	struct fg_solver        *solver = place(config->solver, &config->solvers, FG_SOLVERS_MAX, sizeof(*solver), name);
	char                     path[1200];

	if (solver == NULL)
		return fg_fail(FG_EINVAL, "at most %d solvers, each with a name", FG_SOLVERS_MAX);
	if (strcmp(key, "program") == 0)
		return *value == '/' ? fg_ini_copy(solver->program, sizeof(solver->program), key, value) : fg_fail(FG_EINVAL, "program takes an absolute path");
	if (strcmp(key, "licence") == 0)
		return fg_ini_copy(solver->licence, sizeof(solver->licence), key, value);
	if (strcmp(key, "licence_per") == 0) {
		solver->per_core = strcmp(value, "core") == 0;
		return solver->per_core || strcmp(value, "run") == 0 ? FG_OK : fg_fail(FG_EINVAL, "licence_per is core or run");
	}
	if (strcmp(key, "rules") != 0)
		return fg_fail(FG_EINVAL, "there is no key %.60s in [solver …]", key);
	if (*value == '/')
		snprintf(path, sizeof(path), "%s", value);
	else if (strchr(value, '/') == NULL)
		snprintf(path, sizeof(path), "%s/%s.rules", config->rules_dir[0] != '\0' ? config->rules_dir : reader->rules_dir, value);
	else
		return fg_fail(FG_EINVAL, "rules takes a name or an absolute path");
	return fg_rules_file(&solver->rules, path);
}

static enum fg_err
take_template(struct fg_launch_config *config, const char *name, const char *key, const char *value)
{
	struct fg_template *template = place(config->template, &config->templates, FG_TEMPLATES_MAX, sizeof(*template), name);

	if (template == NULL)
		return fg_fail(FG_EINVAL, "at most %d templates, each with a name", FG_TEMPLATES_MAX);
	if (strcmp(key, "command") == 0)
		return fg_ini_copy(template->command, sizeof(template->command), key, value);
	if (strcmp(key, "solvers") == 0)
		return fg_ini_copy(template->solvers, sizeof(template->solvers), key, value);
	return fg_fail(FG_EINVAL, "there is no key %.60s in [template …]", key);
}

static enum fg_err
take_licence(struct fg_launch_config *config, const char *name, const char *key, const char *value)
{
	struct fg_licence *licence = place(config->licence, &config->licences, FG_LICENCES_MAX, sizeof(*licence), name);

	if (licence == NULL)
		return fg_fail(FG_EINVAL, "at most %d licences, each with a name", FG_LICENCES_MAX);
	if (strcmp(key, "count") == 0)
		return fg_ini_copy(licence->count_command, sizeof(licence->count_command), key, value);
	if (strcmp(key, "list") == 0)
		return fg_ini_copy(licence->list_command, sizeof(licence->list_command), key, value);
	if (strcmp(key, "kill") == 0)
		return fg_ini_copy(licence->kill_command, sizeof(licence->kill_command), key, value);
	if (strcmp(key, "killed") == 0)
		return fg_ini_copy(licence->killed_text, sizeof(licence->killed_text), key, value);
	if (strcmp(key, "used") == 0)
		return fg_rule_parse(&licence->used, FG_RULE_CURRENT, value);
	if (strcmp(key, "total") == 0)
		return fg_rule_parse(&licence->total, FG_RULE_CURRENT, value);
	if (strcmp(key, "seconds") == 0) {
		licence->seconds = (int)strtol(value, NULL, 10);
		return licence->seconds >= 1 && licence->seconds <= 3600 ? FG_OK : fg_fail(FG_EINVAL, "seconds is 1 to 3600");
	}
	return fg_fail(FG_EINVAL, "there is no key %.60s in [licence …]", key);
}

static enum fg_err
take(void *ctx, const char *section, const char *key, const char *value)
{
	struct reader *reader = ctx;
	const char    *blank = strchr(section, ' ');

	if (strcmp(section, "launcher") == 0)
		return take_launcher(reader->config, key, value);
	if (blank != NULL && strncmp(section, "solver ", 7) == 0)
		return take_solver(reader, blank + 1, key, value);
	if (blank != NULL && strncmp(section, "template ", 9) == 0)
		return take_template(reader->config, blank + 1, key, value);
	if (blank != NULL && strncmp(section, "licence ", 8) == 0)
		return take_licence(reader->config, blank + 1, key, value);
	return fg_fail(FG_EINVAL, "sections are [launcher], [solver NAME], [template NAME] and [licence NAME]");
}

static enum fg_err
check(struct fg_launch_config *config, const char *path)
{
	for (int i = 0; i < config->solvers; i++) {
		const struct fg_solver *solver = &config->solver[i];

		if (solver->program[0] == '\0' || solver->rules.word_bytes == 0)
			return fg_fail(FG_EINVAL, "%s: solver %s needs program and rules", path, solver->name);
		if (solver->licence[0] != '\0' && fg_licence_find(config, solver->licence) == NULL)
			return fg_fail(FG_EINVAL, "%s: solver %s names a licence that is not there", path, solver->name);
	}
	for (int i = 0; i < config->templates; i++)
		if (config->template[i].command[0] == '\0')
			return fg_fail(FG_EINVAL, "%s: template %s needs a command", path, config->template[i].name);
	if (config->trash[0] == '\0' || strchr(config->trash, '/') != NULL || strcmp(config->trash, ".") == 0 || strcmp(config->trash, "..") == 0)
		return fg_fail(FG_EINVAL, "%s: trash is the name of a folder", path);
	return FG_OK;
}

enum fg_err
fg_launch_config_read(struct fg_launch_config *out, const char *path, const char *rules_dir)
{
	struct reader reader = { out, rules_dir };
	enum fg_err   err;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		memcpy((char *)out + numbers[i].offset, &numbers[i].standard, sizeof(int64_t));
	snprintf(out->trash, sizeof(out->trash), ".farmgate-trash");
	if (gethostname(out->host, sizeof(out->host) - 1) != 0)
		snprintf(out->host, sizeof(out->host), "localhost");
	if ((err = fg_ini_file(path, take, &reader)) != FG_OK)
		return err;
	if (out->cores == 0)
		out->cores = sysconf(_SC_NPROCESSORS_ONLN);
	if (out->memory_bytes == 0)
		out->memory_bytes = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
	return check(out, path);
}

enum fg_err
fg_launch_config_open(struct fg_launch_config *config)
{
	for (int i = 0; i < config->folders; i++)
		if ((config->folder[i].fd = open(config->folder[i].path, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
			return fg_fail(FG_ENOTFOUND, "the allowed folder %s can't be opened: %s", config->folder[i].path, strerror(errno));
	return FG_OK;
}

void
fg_launch_config_close(struct fg_launch_config *config)
{
	for (int i = 0; i < config->folders; i++)
		if (config->folder[i].fd >= 0)
			close(config->folder[i].fd);
	config->folders = 0;
}

const struct fg_solver *
fg_solver_find(const struct fg_launch_config *config, const char *name_or_program)
{
	for (int i = 0; i < config->solvers; i++)
		if (strcmp(config->solver[i].name, name_or_program) == 0 || strcmp(config->solver[i].program, name_or_program) == 0)
			return &config->solver[i];
	return NULL;
}

const struct fg_licence *
fg_licence_find(const struct fg_launch_config *config, const char *name)
{
	for (int i = 0; i < config->licences; i++)
		if (strcmp(config->licence[i].name, name) == 0)
			return &config->licence[i];
	return NULL;
}

bool
fg_word_in(const char *list, const char *word)
{
	const size_t len = strlen(word);

	for (const char *at = list + strspn(list, " \t"); *at != '\0'; at += strspn(at, " \t")) {
		const size_t size = strcspn(at, " \t");

		if (size == len && memcmp(at, word, len) == 0)
			return true;
		at += size;
	}
	return false;
}
