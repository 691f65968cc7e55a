#include "launch/template.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "launch/beneath.h"

enum { WORDS_MAX = 64, WORD_SIZE = 512 };

enum hole { HOLE_SOLVER, HOLE_INPUT, HOLE_NCPU, HOLE_MEMORY, HOLE_FILE, HOLE_NUMBER, HOLES };
static const char *const hole_names[HOLES] = { "$SOLVER", "$INPUT", "$NCPU", "$MEMORY", "$FILE", "$NUMBER" };

/* --- types */

int64_t
fg_memory_bytes(const char *text, int word_bytes)
{
	const size_t digits = strspn(text, "0123456789");
	const char  *unit = text + digits;
	int64_t      number;
	int          shift = 0;

	if (digits < 1 || digits > 12)
		return -1;
	number = strtoll(text, NULL, 10);
	if (*unit != '\0') {
		const char *at = strchr("kmgKMG", *unit);

		if (at == NULL || unit[1] != '\0')
			return -1;
		shift = 10 * ((int)(at - "kmgKMG") % 3 + 1);
	}
	if (number > (INT64_MAX >> shift) / word_bytes)
		return -1;
	return (number << shift) * word_bytes;
}

static bool
is_name(const char *text, size_t len)
{
	return len > 0 && len < 128 && text[0] != '.' && text[0] != '-' &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") >= len;
}

static bool
is_number(const char *text, size_t len)
{
	return len > 0 && len < 10 && strspn(text, "0123456789") >= len;
}

/* The value of a placeholder from the order itself; NULL where the client must write it into the expression. */
static const char *
order_value(enum hole hole, const struct fg_order *order, const struct fg_solver *solver, char ncpu[24])
{
	switch (hole) {
	case HOLE_SOLVER: return solver->program;
	case HOLE_INPUT: return order->input;
	case HOLE_MEMORY: return order->memory;
	case HOLE_NCPU: snprintf(ncpu, 24, "%" PRId64, order->ncpu); return ncpu;
	default: return NULL;
	}
}

static int
hole_at(const char *text)
{
	for (int i = 0; i < HOLES; i++)
		if (strncmp(text, hole_names[i], strlen(hole_names[i])) == 0)
			return i;
	return -1;
}

/* --- one word of the template against one of the expression */

/* A literal value in the expression where the template has a placeholder: everything up to what follows the placeholder. */
static bool
literal(enum hole hole, const char *text, size_t len, const struct fg_order *order, const struct fg_solver *solver)
{
	char        ncpu[24];
	const char *own = order_value(hole, order, solver, ncpu);

	if (hole == HOLE_FILE)
		return is_name(text, len);
	if (hole == HOLE_NUMBER)
		return is_number(text, len);
	return own != NULL && strlen(own) == len && memcmp(own, text, len) == 0; /* what was checked, and nothing else */
}

static bool
fill_word(char out[WORD_SIZE * 4], const char *word, const char *expr, const struct fg_order *order, const struct fg_solver *solver)
{
	size_t len = 0;

	while (*word != '\0') {
		const int   hole = hole_at(word);
		char        ncpu[24];
		const char *value;
		size_t      size;

		if (hole < 0) {
			if (*word != *expr || len + 1 >= WORD_SIZE * 4)
				return false;
			out[len++] = *word++;
			expr++;
			continue;
		}
		word += strlen(hole_names[hole]);
		if (hole_at(expr) == hole && (value = order_value(hole, order, solver, ncpu)) != NULL) {
			size = strlen(value);
			expr += strlen(hole_names[hole]);
		} else {
			size = *word == '\0' ? strlen(expr) : strcspn(expr, (const char[]){ *word, '\0' });
			if (!literal(hole, expr, size, order, solver))
				return false;
			value = expr;
			expr += size;
		}
		if (len + size >= WORD_SIZE * 4)
			return false;
		memcpy(out + len, value, size);
		len += size;
	}
	out[len] = '\0';
	return *expr == '\0';
}

static const char *
take_word(char out[WORD_SIZE], const char *text)
{
	const size_t skip = strspn(text, " \t"), len = strcspn(text + skip, " \t");

	snprintf(out, WORD_SIZE, "%.*s", len < WORD_SIZE ? (int)len : WORD_SIZE - 1, text + skip);
	return text + skip + len;
}

static bool
fill(struct fg_command *out, struct fg_arena *arena, const char *command, const char *expr, const struct fg_order *order, const struct fg_solver *solver)
{
	const char **argv = fg_arena_alloc(arena, (WORDS_MAX + 1) * sizeof(*argv));
	char         word[WORD_SIZE], asked[WORD_SIZE], filled[WORD_SIZE * 4];
	struct fg_buf text = { 0 };
	int          count = 0;
	bool         fits = true;

	for (;;) {
		command = take_word(word, command);
		expr = take_word(asked, expr);
		if (word[0] == '\0' || asked[0] == '\0')
			break;
		if (!(fits = count < WORDS_MAX && fill_word(filled, word, asked, order, solver)))
			break;
		if (count > 0)
			fg_buf_char(&text, ' ');
		fg_buf_str(&text, filled);
		argv[count++] = fg_arena_dup(arena, filled, strlen(filled));
	}
	fits = fits && word[0] == '\0' && asked[0] == '\0' && count > 0;
	out->argv = argv;
	out->text = fg_arena_dup(arena, fg_buf_text(&text), text.len);
	fg_buf_free(&text);
	return fits;
}

/* --- the whole order */

static enum fg_err
check_order(struct fg_command *out, const struct fg_launch_config *config, const struct fg_order *order)
{
	enum fg_err err;

	if ((out->solver = fg_solver_find(config, order->solver)) == NULL)
		return fg_fail(FG_EFORBIDDEN, "the solver %.200s is not one of the settings", order->solver);
	if (order->ncpu < 1 || order->ncpu > config->cores)
		return fg_fail(FG_EINVAL, "ncpu must be 1 to %" PRId64, config->cores);
	out->memory_bytes = 0;
	if (order->memory[0] != '\0' && (out->memory_bytes = fg_memory_bytes(order->memory, out->solver->rules.word_bytes)) < 0)
		return fg_fail(FG_EINVAL, "memory is a size such as 200m, not %.60s", order->memory);
	if (out->memory_bytes > config->memory_bytes)
		return fg_fail(FG_EINVAL, "memory %s is more than this host has for runs", order->memory);
	if (strlen(order->expr) >= FG_COMMAND_SIZE)
		return fg_fail(FG_EINVAL, "the expression may have at most %d characters", FG_COMMAND_SIZE - 1);
	if ((err = fg_beneath_file(config, order->input)) != FG_OK)
		return err;
	return FG_OK;
}

enum fg_err
fg_template_apply(struct fg_command *out, struct fg_arena *arena, const struct fg_launch_config *config, const struct fg_order *order)
{
	const char *expr = order->expr[0] != '\0' ? order->expr : order->command;
	enum fg_err err = check_order(out, config, order);

	if (err != FG_OK)
		return err;
	for (int i = 0; i < config->templates; i++) {
		out->template = &config->template[i];
		if (out->template->solvers[0] != '\0' && !fg_word_in(out->template->solvers, out->solver->name))
			continue;
		if (!fill(out, arena, out->template->command, expr, order, out->solver))
			continue;
		if (order->expr[0] != '\0' && order->command[0] != '\0' && strcmp(order->command, out->text) != 0)
			return fg_fail(FG_EFORBIDDEN, "the command is not what its expression gives: %.400s", out->text);
		return FG_OK;
	}
	return fg_fail(FG_EFORBIDDEN, "no template of the settings allows: %.400s", expr);
}
