/* arena: memory with the life of a request. Allocate freely, never free one piece, reset at the end. */
#ifndef FG_BASE_ARENA_H
#define FG_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct fg_arena_block;

/** `{0}` is an empty arena. */
struct fg_arena {
	struct fg_arena_block *first;
};

/** Zeroed memory, aligned for any type; belongs to the arena. */
void *fg_arena_alloc(struct fg_arena *arena, size_t size);
char *fg_arena_dup(struct fg_arena *arena, const char *bytes, size_t len); /**< a copy with a closing NUL */
char *fg_arena_printf(struct fg_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

void fg_arena_reset(struct fg_arena *arena); /**< everything allocated from it is gone; a block stays for what comes next */
void fg_arena_free(struct fg_arena *arena);  /**< likewise, and nothing stays: for arenas that go, too */

#endif
