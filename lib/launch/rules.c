#include "launch/rules.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launch/ini.h"

static const char *const kind_names[FG_RULE_KINDS] = {
	[FG_RULE_STARTED] = "started", [FG_RULE_NORMAL] = "normal",     [FG_RULE_ERROR] = "error",     [FG_RULE_END] = "end",
	[FG_RULE_CURRENT] = "current", [FG_RULE_PERCENT] = "percent",   [FG_RULE_MASS] = "mass",       [FG_RULE_MASS_PCT] = "mass_pct",
	[FG_RULE_STEP] = "step",       [FG_RULE_ELAPSED] = "elapsed",   [FG_RULE_REMAINING] = "remaining",
};

/* --- rule files */

static bool
next_word(char out[16], const char **text)
{
	size_t len;

	*text += strspn(*text, " \t");
	len = strcspn(*text, " \t");
	snprintf(out, 16, "%.*s", len < 15 ? (int)len : 15, *text);
	*text += len;
	return len > 0;
}

static enum fg_err
take_word(struct fg_rule *out, const char *word, const char **rest)
{
	char  number[16], *end;
	long  token;

	if (strcmp(word, "first") == 0) {
		out->first = true;
		return FG_OK;
	}
	if (out->where != FG_WHERE_NONE)
		return fg_fail(FG_EINVAL, "one place of the number is enough");
	out->where = strcmp(word, "after") == 0 ? FG_WHERE_AFTER : strcmp(word, "before") == 0 ? FG_WHERE_BEFORE : FG_WHERE_TOKEN;
	if (out->where != FG_WHERE_TOKEN)
		return FG_OK;
	out->token = -1;
	if (strcmp(word, "last") == 0)
		return FG_OK;
	if (strcmp(word, "token") != 0 || !next_word(number, rest))
		return fg_fail(FG_EINVAL, "a number stands at: last, token N, after or before");
	token = strtol(number, &end, 10);
	if (*end != '\0' || token == 0 || token > 1000 || token < -1000)
		return fg_fail(FG_EINVAL, "token takes 1 to 1000, or -1 to -1000 from the end");
	out->token = (int)token;
	return FG_OK;
}

enum fg_err
fg_rule_parse(struct fg_rule *out, enum fg_rule_kind kind, const char *text)
{
	const char *end = *text == '"' ? strchr(text + 1, '"') : NULL, *rest;
	char        word[16];
	enum fg_err err;

	memset(out, 0, sizeof(*out));
	out->kind = kind;
	if (end == NULL || end - text - 1 >= FG_RULE_TEXT)
		return fg_fail(FG_EINVAL, "a rule begins with \"text\" of at most %d characters", FG_RULE_TEXT - 1);
	memcpy(out->text, text + 1, (size_t)(end - text - 1));
	for (rest = end + 1; next_word(word, &rest);)
		if ((err = take_word(out, word, &rest)) != FG_OK)
			return err;
	if ((kind > FG_RULE_ERROR) != (out->where != FG_WHERE_NONE))
		return fg_fail(FG_EINVAL, kind > FG_RULE_ERROR ? "where does the number stand?" : "this kind has no number");
	if (out->text[0] == '\0' && out->where != FG_WHERE_TOKEN)
		return fg_fail(FG_EINVAL, "an empty text is in every line");
	return FG_OK;
}

static enum fg_err
take_solver(struct fg_rules *rules, const char *key, const char *value)
{
	const struct {
		const char *key;
		char       *out;
		size_t      size;
	} texts[] = { { "name", rules->name, sizeof(rules->name) },          { "stop_file", rules->stop_file, sizeof(rules->stop_file) },
		      { "stop_text", rules->stop_text, sizeof(rules->stop_text) }, { "codes", rules->codes, sizeof(rules->codes) },
		      { "outputs", rules->outputs, sizeof(rules->outputs) } };

	if (strcmp(key, "stop_file") == 0 && (strchr(value, '/') != NULL || value[0] == '.'))
		return fg_fail(FG_EINVAL, "stop_file is the name of a file in the run's folder");
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (strcmp(key, texts[i].key) == 0)
			return fg_ini_copy(texts[i].out, texts[i].size, key, value);
	if (strcmp(key, "word_bytes") != 0)
		return fg_fail(FG_EINVAL, "there is no key %.60s in [solver]", key);
	rules->word_bytes = (int)strtol(value, NULL, 10);
	return rules->word_bytes >= 1 && rules->word_bytes <= 64 ? FG_OK : fg_fail(FG_EINVAL, "word_bytes is 1 to 64");
}

static enum fg_err
take_rule(void *ctx, const char *section, const char *key, const char *value)
{
	struct fg_rules *rules = ctx;

	if (strcmp(section, "solver") == 0)
		return take_solver(rules, key, value);
	if (strcmp(section, "line") != 0)
		return fg_fail(FG_EINVAL, "sections are [solver] and [line]");
	if (rules->count == FG_RULES_MAX)
		return fg_fail(FG_EINVAL, "at most %d rules", FG_RULES_MAX);
	for (int kind = 0; kind < FG_RULE_KINDS; kind++)
		if (strcmp(key, kind_names[kind]) == 0) {
			enum fg_err err = fg_rule_parse(&rules->rule[rules->count], kind, value);

			rules->count += err == FG_OK;
			return err;
		}
	return fg_fail(FG_EINVAL, "there is no kind of rule %.60s", key);
}

enum fg_err
fg_rules_read(struct fg_rules *out, const char *bytes, size_t len)
{
	memset(out, 0, sizeof(*out));
	out->word_bytes = 1;
	return fg_ini_read(bytes, len, take_rule, out);
}

enum fg_err
fg_rules_file(struct fg_rules *out, const char *path)
{
	memset(out, 0, sizeof(*out));
	out->word_bytes = 1;
	return fg_ini_file(path, take_rule, out);
}

/* --- lines */

static bool
number_at(double *out, const char *text)
{
	char   copy_of[40], *end;
	size_t len = strspn(text, "+-.0123456789eEdD");

	if (len == 0 || len >= sizeof(copy_of) || strpbrk(text, "0123456789") == NULL)
		return false;
	memcpy(copy_of, text, len);
	copy_of[len] = '\0';
	for (char *c = copy_of; *c != '\0'; c++)
		if (*c == 'd' || *c == 'D')
			*c = 'E';
	*out = strtod(copy_of, &end);
	return end != copy_of && isfinite(*out);
}

static bool
token_number(double *out, const char *line, int token)
{
	const char *at = line;
	int         count = 0;

	for (const char *c = line + strspn(line, " \t\r\n"); *c != '\0'; c += strspn(c, " \t\r\n"), count++)
		c += strcspn(c, " \t\r\n");
	if (token < 0)
		token += count + 1;
	if (token < 1 || token > count)
		return false;
	for (at += strspn(at, " \t\r\n"); --token > 0; at += strspn(at, " \t\r\n"))
		at += strcspn(at, " \t\r\n");
	return number_at(out, at);
}

static bool
before_number(double *out, const char *line, const char *at)
{
	const char *from;

	while (at > line && (at[-1] == ' ' || at[-1] == '\t'))
		at--;
	for (from = at; from > line && strchr("+-.0123456789eEdD", from[-1]) != NULL; from--)
		;
	return from < at && number_at(out, from);
}

bool
fg_rule_number(double *out, const struct fg_rule *rule, const char *line)
{
	const char *at = strstr(line, rule->text);

	if (at == NULL)
		return false;
	if (rule->where == FG_WHERE_TOKEN)
		return token_number(out, line, rule->token);
	if (rule->where == FG_WHERE_BEFORE)
		return before_number(out, line, at);
	at += strlen(rule->text);
	return number_at(out, at + strspn(at, " \t=:"));
}

static bool
take_number(struct fg_reading *reading, const struct fg_rule *rule, const char *line)
{
	const enum fg_rule_kind kind = rule->kind;
	double                  number;

	if ((rule->first && reading->have[kind]) || !fg_rule_number(&number, rule, line))
		return false;
	if (kind == FG_RULE_CURRENT && reading->have[kind] && number <= reading->value[kind])
		return false; /* time does not go back */
	if (reading->have[kind] && reading->value[kind] == number)
		return false;
	reading->have[kind] = true;
	reading->value[kind] = number;
	return true;
}

static bool
raise_flag(bool *flag)
{
	const bool was = *flag;

	*flag = true;
	return !was;
}

static bool
read_line(struct fg_reading *reading, const struct fg_rules *rules)
{
	bool changed = false;

	reading->line[reading->held] = '\0';
	for (int i = 0; i < rules->count; i++) {
		const struct fg_rule *rule = &rules->rule[i];

		if (rule->kind > FG_RULE_ERROR)
			changed |= take_number(reading, rule, reading->line);
		else if (strstr(reading->line, rule->text) != NULL)
			changed |= raise_flag(rule->kind == FG_RULE_STARTED ? &reading->started : rule->kind == FG_RULE_NORMAL ? &reading->normal : &reading->error);
	}
	reading->held = 0;
	reading->cut = false;
	return changed;
}

bool
fg_reading_feed(struct fg_reading *reading, const struct fg_rules *rules, const char *bytes, size_t len)
{
	bool changed = false;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n')
			changed |= read_line(reading, rules);
		else if (reading->held == FG_READ_LINE - 1)
			reading->cut = true;
		else if (bytes[i] != '\0')
			reading->line[reading->held++] = bytes[i];
	}
	return changed;
}

bool
fg_reading_end(struct fg_reading *reading, const struct fg_rules *rules)
{
	return reading->held > 0 && read_line(reading, rules);
}

/* --- what follows from it */

double
fg_reading_percent(const struct fg_reading *reading)
{
	const double *value = reading->value;
	double        percent = -1;

	if (reading->have[FG_RULE_PERCENT])
		percent = value[FG_RULE_PERCENT];
	else if (reading->have[FG_RULE_CURRENT] && reading->have[FG_RULE_END] && value[FG_RULE_END] > 0)
		percent = value[FG_RULE_CURRENT] * 100 / value[FG_RULE_END];
	else if (reading->have[FG_RULE_ELAPSED] && reading->have[FG_RULE_REMAINING] && value[FG_RULE_ELAPSED] >= 0 &&
		 value[FG_RULE_ELAPSED] + value[FG_RULE_REMAINING] > 0)
		percent = value[FG_RULE_ELAPSED] * 100 / (value[FG_RULE_ELAPSED] + value[FG_RULE_REMAINING]);
	else
		return -1;
	return !isfinite(percent) || percent < 0 ? 0 : percent > 100 ? 100 : percent;
}

double
fg_reading_eta(const struct fg_reading *reading, double elapsed_s)
{
	const double percent = fg_reading_percent(reading);

	if (reading->have[FG_RULE_REMAINING] && reading->value[FG_RULE_REMAINING] >= 0)
		return reading->value[FG_RULE_REMAINING];
	if (percent <= 0 || elapsed_s < 0)
		return -1;
	return elapsed_s * 100 / percent - elapsed_s;
}
