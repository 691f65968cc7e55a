/* dna: the catalogue of structures that a .blend carries, and values looked up by it in the file's blocks. */
#ifndef FG_BLEND_DNA_H
#define FG_BLEND_DNA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct fg_dna;

/** A block of the file that was kept: `count` structures of one kind. */
struct fg_block {
	char                 code[5];
	uint32_t             sdna;    /**< index of its structure in the catalogue */
	uint64_t             old;     /**< its address when the file was saved: what pointers name it by */
	uint64_t             count;
	size_t               len;
	const unsigned char *bytes;
	int                  scene;   /**< for DATA: number of the ID block that it belongs to */
};

/** A place within a block: a structure of some type, or nothing. */
struct fg_spot {
	const struct fg_block *block;
	size_t                 offset;
	int                    type;   /**< index of the structure, -1 nothing */
	int                    size;   /**< bytes of a plain member, pointers included */
	char                   kind[32]; /**< name of a member's type: "int", "float", "ListBase" */
	bool                   pointer;
};

/** An unsigned number of `size` bytes, of the other byte order when `swap`. */
uint64_t fg_dna_number(const unsigned char *bytes, int size, bool swap);

enum fg_err fg_dna_parse(struct fg_dna **out, const unsigned char *bytes, size_t len, bool swap, int pointer_size);
void        fg_dna_free(struct fg_dna *dna);

/** The structure that a block begins with. False when the catalogue doesn't know it or the block is shorter. */
bool        fg_dna_root(struct fg_spot *out, const struct fg_dna *dna, const struct fg_block *block);
const char *fg_dna_type(const struct fg_dna *dna, const struct fg_spot *spot);

/** A member by its name without stars and brackets: "r", "xsch". False when this file has none, or it would lie outside. */
bool fg_dna_member(struct fg_spot *out, const struct fg_dna *dna, const struct fg_spot *of, const char *name);

/** Plain values of a member, widened; `fallback` when there is no such member. */
int64_t  fg_dna_int(const struct fg_dna *dna, const struct fg_spot *of, const char *name, int64_t fallback);
double   fg_dna_float(const struct fg_dna *dna, const struct fg_spot *of, const char *name, double fallback);
uint64_t fg_dna_pointer(const struct fg_dna *dna, const struct fg_spot *of, const char *name); /**< 0: null or no such member */
bool     fg_dna_string(char *out, size_t size, const struct fg_dna *dna, const struct fg_spot *of, const char *name); /**< valid UTF-8 or cut before what isn't */

#endif
