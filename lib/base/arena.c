#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { BLOCK_SIZE = 16384 };

struct fg_arena_block {
	struct fg_arena_block *next;
	size_t                 used, size;
	alignas(max_align_t) char bytes[];
};

static struct fg_arena_block *
block_add(struct fg_arena *arena, size_t size)
{
	const size_t           room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
	struct fg_arena_block *block = fg_alloc(sizeof(*block) + room);

	block->size = room;
	block->next = arena->first;
	arena->first = block;
	return block;
}

void *
fg_arena_alloc(struct fg_arena *arena, size_t size)
{
	struct fg_arena_block *block = arena->first;
	const size_t           align = alignof(max_align_t);
	void                  *p;

	if (size > SIZE_MAX / 4)
		abort();
	size = (size + align - 1) / align * align;
	if (block == NULL || block->size - block->used < size)
		block = block_add(arena, size);
	p = block->bytes + block->used;
	block->used += size;
	return memset(p, 0, size);
}

char *
fg_arena_dup(struct fg_arena *arena, const char *bytes, size_t len)
{
	char *copy = fg_arena_alloc(arena, len + 1);

	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

char *
fg_arena_printf(struct fg_arena *arena, const char *format, ...)
{
	va_list args, again;
	char   *text;
	int     len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (len < 0)
		abort();
	text = fg_arena_alloc(arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return text;
}

void
fg_arena_reset(struct fg_arena *arena)
{
	struct fg_arena_block *block = arena->first;

	while (block != NULL && block->next != NULL) {  /* one block is kept for the next request */
		struct fg_arena_block *next = block->next;

		free(block);
		block = next;
	}
	if (block != NULL && block->size > BLOCK_SIZE) {
		free(block);
		block = NULL;
	}
	if (block != NULL)
		block->used = 0;
	arena->first = block;
}

void
fg_arena_free(struct fg_arena *arena)
{
	fg_arena_reset(arena);
	free(arena->first);
	arena->first = NULL;
}
