#include "blend/dna.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { LIST_MAX = 65536, DEPTH_MAX = 8 };

struct member {
	int type, name;
};

struct structure {
	int            type, count;
	struct member *members;
};

struct fg_dna {
	const unsigned char *at, *end, *start;
	unsigned char       *copy;
	bool                 swap;
	int                  pointer_size;
	const char         **names, **types;
	int                  nnames, ntypes, nstructs;
	int                 *lengths;
	struct structure    *structs;
	int                 *struct_of; /**< by type: index of its structure, -1 a plain type */
	struct member       *members;
};

static enum fg_err
bad(void)
{
	return fg_fail(FG_EFORMAT, "the .blend's catalogue of structures is damaged");
}

uint64_t
fg_dna_number(const unsigned char *bytes, int size, bool swap)
{
	uint64_t value = 0;

	for (int i = 0; i < size; i++)
		value |= (uint64_t)bytes[swap ? size - 1 - i : i] << (8 * i);
	return value;
}

static bool
take_int(struct fg_dna *d, int size, int64_t *out)
{
	if (d->end - d->at < size)
		return false;
	*out = (int64_t)fg_dna_number(d->at, size, d->swap);
	d->at += size;
	return true;
}

/* Sections begin at multiples of four, counted from the block's start. */
static bool
take_tag(struct fg_dna *d, const char *tag)
{
	while ((d->at - d->start) % 4 != 0 && d->at < d->end)
		d->at++;
	if (d->end - d->at < 4 || memcmp(d->at, tag, 4) != 0)
		return false;
	d->at += 4;
	return true;
}

static bool
take_strings(struct fg_dna *d, const char *tag, const char ***out, int *count)
{
	int64_t n;

	if (!take_tag(d, tag) || !take_int(d, 4, &n) || n < 1 || n > LIST_MAX)
		return false;
	*out = fg_alloc(sizeof(**out) * (size_t)n);
	for (*count = 0; *count < n; ++*count) {
		const unsigned char *zero = memchr(d->at, '\0', (size_t)(d->end - d->at));

		if (zero == NULL)
			return false;
		(*out)[*count] = (const char *)d->at;
		d->at = zero + 1;
	}
	return true;
}

static bool
take_lengths(struct fg_dna *d)
{
	if (!take_tag(d, "TLEN"))
		return false;
	d->lengths = fg_alloc(sizeof(*d->lengths) * (size_t)d->ntypes);
	for (int i = 0; i < d->ntypes; i++) {
		int64_t value;

		if (!take_int(d, 2, &value))
			return false;
		d->lengths[i] = (int)value;
	}
	return true;
}

static bool
take_struct(struct fg_dna *d, struct structure *s, struct member *members, int64_t room)
{
	int64_t type, count;

	if (!take_int(d, 2, &type) || !take_int(d, 2, &count) || type >= d->ntypes || count > room)
		return false;
	*s = (struct structure){ .type = (int)type, .count = (int)count, .members = members };
	for (int i = 0; i < count; i++) {
		int64_t member_type, name;

		if (!take_int(d, 2, &member_type) || !take_int(d, 2, &name) || member_type >= d->ntypes || name >= d->nnames)
			return false;
		members[i] = (struct member){ (int)member_type, (int)name };
	}
	return true;
}

static bool
take_structs(struct fg_dna *d)
{
	int64_t n, used = 0, room;

	if (!take_tag(d, "STRC") || !take_int(d, 4, &n) || n < 1 || n > LIST_MAX)
		return false;
	room = (d->end - d->at) / 4;
	d->structs = fg_alloc(sizeof(*d->structs) * (size_t)n);
	d->members = fg_alloc(sizeof(*d->members) * (size_t)room);
	d->struct_of = fg_alloc(sizeof(*d->struct_of) * (size_t)d->ntypes);
	memset(d->struct_of, -1, sizeof(*d->struct_of) * (size_t)d->ntypes);
	for (d->nstructs = 0; d->nstructs < n; d->nstructs++) {
		struct structure *s = &d->structs[d->nstructs];

		if (!take_struct(d, s, d->members + used, room - used))
			return false;
		used += s->count;
		d->struct_of[s->type] = d->nstructs;
	}
	return true;
}

enum fg_err
fg_dna_parse(struct fg_dna **out, const unsigned char *bytes, size_t len, bool swap, int pointer_size)
{
	struct fg_dna *d = fg_alloc(sizeof(*d));

	*out = d;
	d->copy = fg_alloc(len);
	memcpy(d->copy, bytes, len);
	d->start = d->at = d->copy;
	d->end = d->copy + len;
	d->swap = swap;
	d->pointer_size = pointer_size;
	if (!take_tag(d, "SDNA") || !take_strings(d, "NAME", &d->names, &d->nnames) || !take_strings(d, "TYPE", &d->types, &d->ntypes) || !take_lengths(d) ||
	    !take_structs(d))
		return bad();
	return FG_OK;
}

void
fg_dna_free(struct fg_dna *d)
{
	if (d == NULL)
		return;
	free(d->copy);
	free(d->names);
	free(d->types);
	free(d->lengths);
	free(d->structs);
	free(d->struct_of);
	free(d->members);
	free(d);
}

bool
fg_dna_root(struct fg_spot *out, const struct fg_dna *d, const struct fg_block *block)
{
	if (block == NULL || block->sdna >= (uint32_t)d->nstructs)
		return false;
	*out = (struct fg_spot){ .block = block, .type = (int)block->sdna, .size = d->lengths[d->structs[block->sdna].type] };
	return (size_t)out->size <= block->len;
}

const char *
fg_dna_type(const struct fg_dna *d, const struct fg_spot *spot)
{
	return spot->type >= 0 ? d->types[d->structs[spot->type].type] : "";
}

static bool
is_pointer(const char *name)
{
	return name[0] == '*' || name[0] == '(';
}

/* Product of the [n] in a member's name; bounded, for the file wrote it. */
static int64_t
elements(const char *name)
{
	int64_t product = 1;

	for (const char *p = strchr(name, '['); p != NULL; p = strchr(p + 1, '[')) {
		const long n = strtol(p + 1, NULL, 10);

		if (n < 0 || n > 1 << 24 || product * n > 1 << 28)
			return -1;
		product *= n;
	}
	return product;
}

static bool
is_called(const char *member, const char *name)
{
	const size_t len = strlen(name);

	member += strspn(member, "*(");
	return strncmp(member, name, len) == 0 && (member[len] == '\0' || member[len] == '[' || member[len] == ')');
}

bool
fg_dna_member(struct fg_spot *out, const struct fg_dna *d, const struct fg_spot *of, const char *name)
{
	const struct structure *s;
	int64_t                 offset = (int64_t)of->offset;

	if (of->type < 0)
		return false;
	s = &d->structs[of->type];
	for (int i = 0; i < s->count; i++) {
		const struct member *m = &s->members[i];
		const bool           pointer = is_pointer(d->names[m->name]);
		const int64_t        count = elements(d->names[m->name]), size = count * (pointer ? d->pointer_size : d->lengths[m->type]);

		if (count < 0 || offset + size > (int64_t)of->block->len)
			return false;
		if (is_called(d->names[m->name], name)) {
			*out = (struct fg_spot){ .block = of->block, .offset = (size_t)offset, .type = pointer ? -1 : d->struct_of[m->type], .size = (int)size,
				                 .pointer = pointer };
			snprintf(out->kind, sizeof(out->kind), "%s", d->types[m->type]);
			return true;
		}
		offset += size;
	}
	return false;
}

static const unsigned char *
bytes_of(const struct fg_spot *spot)
{
	return spot->block->bytes + spot->offset;
}

int64_t
fg_dna_int(const struct fg_dna *d, const struct fg_spot *of, const char *name, int64_t fallback)
{
	struct fg_spot spot;
	uint64_t       value;

	if (!fg_dna_member(&spot, d, of, name) || spot.pointer || spot.size < 1)
		return fallback;
	if (strcmp(spot.kind, "int") == 0 && spot.size >= 4) {
		value = fg_dna_number(bytes_of(&spot), 4, d->swap);
		return (int32_t)value;
	}
	if (strcmp(spot.kind, "short") == 0 && spot.size >= 2) {
		value = fg_dna_number(bytes_of(&spot), 2, d->swap);
		return (int16_t)value;
	}
	if (spot.size >= 2 && (strcmp(spot.kind, "ushort") == 0 || strcmp(spot.kind, "uint16_t") == 0))
		return (int64_t)fg_dna_number(bytes_of(&spot), 2, d->swap);
	if (spot.size >= 8 && (strcmp(spot.kind, "int64_t") == 0 || strcmp(spot.kind, "uint64_t") == 0))
		return (int64_t)fg_dna_number(bytes_of(&spot), 8, d->swap);
	if (strcmp(spot.kind, "char") == 0 || strcmp(spot.kind, "uchar") == 0 || strcmp(spot.kind, "int8_t") == 0 || strcmp(spot.kind, "uint8_t") == 0)
		return *bytes_of(&spot);
	return fallback;
}

double
fg_dna_float(const struct fg_dna *d, const struct fg_spot *of, const char *name, double fallback)
{
	struct fg_spot spot;
	uint32_t       bits;
	float          value;

	if (!fg_dna_member(&spot, d, of, name) || spot.pointer || strcmp(spot.kind, "float") != 0 || spot.size < 4)
		return fallback;
	bits = (uint32_t)fg_dna_number(bytes_of(&spot), 4, d->swap);
	memcpy(&value, &bits, sizeof(value));
	return value;
}

uint64_t
fg_dna_pointer(const struct fg_dna *d, const struct fg_spot *of, const char *name)
{
	struct fg_spot spot;

	if (!fg_dna_member(&spot, d, of, name) || !spot.pointer || spot.size < d->pointer_size)
		return 0;
	return fg_dna_number(bytes_of(&spot), d->pointer_size, d->swap);
}

/* How many of the bytes are UTF-8 from the start? */
static size_t
utf8_prefix(const unsigned char *p, size_t len)
{
	size_t i = 0;

	while (i < len && p[i] != '\0') {
		const int more = p[i] < 0x80 ? 0 : p[i] >= 0xc2 && p[i] <= 0xdf ? 1 : p[i] >= 0xe0 && p[i] <= 0xef ? 2 : p[i] >= 0xf0 && p[i] <= 0xf4 ? 3 : -1;

		if (more < 0 || i + (size_t)more >= len)
			return i;
		for (int k = 1; k <= more; k++)
			if ((p[i + (size_t)k] & 0xc0) != 0x80)
				return i;
		i += (size_t)more + 1;
	}
	return i;
}

bool
fg_dna_string(char *out, size_t size, const struct fg_dna *d, const struct fg_spot *of, const char *name)
{
	struct fg_spot spot;
	size_t         len;

	out[0] = '\0';
	if (!fg_dna_member(&spot, d, of, name) || spot.pointer || strcmp(spot.kind, "char") != 0)
		return false;
	len = utf8_prefix(bytes_of(&spot), (size_t)spot.size < size ? (size_t)spot.size : size - 1);
	memcpy(out, bytes_of(&spot), len);
	out[len] = '\0';
	return true;
}
