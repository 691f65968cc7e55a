/* deflate: RFC 1951, the part that a picture's bytes need after PNG's filters. A block is made in two passes over its bytes: the first counts
 * symbols, the second writes them; between the two, code lengths are found. Matches are only runs: distance 1, lengths 3 to 258. */
#include "image/deflate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	LITERALS = 286,      /* bytes, end of block, 29 length codes */
	END_OF_BLOCK = 256,
	RUN_MIN = 4,         /* shorter runs are cheaper as literals */
	RUN_MAX = 258,
	BITS_MAX = 15,       /* of a code */
	HEAD_CODES = 19,     /* the code that the code lengths are written in */
	HEAD_BITS_MAX = 7,
	BLOCK_BYTES = 128 << 10,
};

/* Bits wait in `word`, low ones first, and leave as bytes. */
struct bits {
	uint8_t *at;
	uint64_t word;
	int      count;
};

static inline void
put_bits(struct bits *b, uint32_t value, int n)
{
	b->word |= (uint64_t)value << b->count;
	b->count += n;
	if (b->count >= 32) {
		uint32_t low = (uint32_t)b->word;

		b->at[0] = (uint8_t)low, b->at[1] = (uint8_t)(low >> 8), b->at[2] = (uint8_t)(low >> 16), b->at[3] = (uint8_t)(low >> 24);
		b->at += 4;
		b->word >>= 32;
		b->count -= 32;
	}
}

static void
end_bits(struct bits *b)
{
	for (; b->count > 0; b->count -= 8, b->word >>= 8)
		*b->at++ = (uint8_t)b->word;
	b->count = 0;
	b->word = 0;
}

/* --- code lengths */

struct leaf {
	uint32_t weight;
	int      symbol;
};

static int
by_weight(const void *one, const void *other)
{
	const struct leaf *a = one, *b = other;

	return a->weight != b->weight ? (a->weight < b->weight ? -1 : 1) : a->symbol - b->symbol;
}

/* Depth of each leaf in the Huffman tree of sorted weights (two queues: leaves, and the nodes made of them, which come out sorted). */
static void
tree_depths(int *depths, const struct leaf *leaves, int n)
{
	uint64_t weights[2 * LITERALS];
	int      parents[2 * LITERALS], leaf = 0, node = n;

	for (int i = 0; i < n; i++)
		weights[i] = leaves[i].weight;
	for (int made = n; made < 2 * n - 1; made++) {
		weights[made] = 0;
		for (int k = 0; k < 2; k++) {
			int smaller = leaf < n && (node >= made || weights[leaf] <= weights[node]) ? leaf++ : node++;

			weights[made] += weights[smaller];
			parents[smaller] = made;
		}
	}
	parents[2 * n - 2] = -1;
	for (int i = 2 * n - 2; i >= 0; i--) {
		int depth = parents[i] < 0 ? 0 : (int)weights[parents[i]] + 1;

		weights[i] = (uint64_t)depth; /* weights are done with: they hold depths now */
		if (i < n)
			depths[i] = depth;
	}
}

/* Lengths of at most `max` bits for symbols that occur; 0 for the others. Where the tree is deeper, its deepest leaves are brought up to
 * max and the code is made complete again by pushing down the deepest that still can be. */
static void
code_lengths(uint8_t *lengths, const uint32_t *counts, int symbols, int max)
{
	struct leaf leaves[LITERALS];
	int         depths[LITERALS], n = 0;
	int32_t     space = 1 << max; /* of the code, in units of the longest codes */

	memset(lengths, 0, (size_t)symbols);
	for (int i = 0; i < symbols; i++)
		if (counts[i] > 0)
			leaves[n++] = (struct leaf){ counts[i], i };
	for (int i = 0; n < 2; i++) /* a code needs two symbols */
		if (counts[i] == 0)
			leaves[n++] = (struct leaf){ 1, i };
	qsort(leaves, (size_t)n, sizeof(*leaves), by_weight);
	tree_depths(depths, leaves, n);
	for (int i = 0; i < n; i++) {
		depths[i] = depths[i] < max ? depths[i] : max;
		space -= 1 << (max - depths[i]);
	}
	for (int i = 0; space < 0; i = i + 1 < n ? i + 1 : 0) /* rare symbols first: lengthen their codes */
		while (space < 0 && depths[i] < max)
			space += 1 << (max - ++depths[i]);
	for (int i = n - 1; space > 0; i = i > 0 ? i - 1 : n - 1) /* what was given up too much goes to the frequent ones */
		while (depths[i] > 1 && space >= 1 << (max - depths[i]))
			space -= 1 << (max - depths[i]--);
	for (int i = 0; i < n; i++)
		lengths[leaves[i].symbol] = (uint8_t)depths[i];
}

/* Canonical codes, their bits turned round as deflate wants them. */
static void
make_codes(uint16_t *codes, const uint8_t *lengths, int symbols)
{
	int counts[BITS_MAX + 2] = { 0 }, next[BITS_MAX + 2] = { 0 };

	for (int i = 0; i < symbols; i++)
		counts[lengths[i]]++;
	counts[0] = 0;
	for (int bits = 1; bits <= BITS_MAX; bits++)
		next[bits + 1] = (next[bits] + counts[bits]) << 1;
	for (int i = 0; i < symbols; i++) {
		int code = lengths[i] > 0 ? next[lengths[i]]++ : 0, turned = 0;

		for (int k = 0; k < lengths[i]; k++)
			turned |= (code >> k & 1) << (lengths[i] - 1 - k);
		codes[i] = (uint16_t)turned;
	}
}

/* --- runs */

struct length_code {
	uint16_t symbol, base;
	uint8_t  extra;
};

/* RFC 1951, 3.2.5: from a run of 11 on there are four codes for each power of two; 258 has its own. */
static inline struct length_code
length_code(int run)
{
	const int v = run - 3, extra = v < 8 ? 0 : 29 - __builtin_clz((unsigned)v);

	if (run == RUN_MAX)
		return (struct length_code){ LITERALS - 1, RUN_MAX, 0 };
	return (struct length_code){ (uint16_t)(END_OF_BLOCK + 1 + 4 * extra + (v >> extra)), (uint16_t)(3 + (v >> extra << extra)), (uint8_t)extra };
}

/* How many bytes from `at` on repeat the one before it. */
static size_t
run_at(const uint8_t *at, const uint8_t *end)
{
	const uint8_t  before = at[-1];
	const uint8_t *limit = end - at > RUN_MAX ? at + RUN_MAX : end, *p = at;

	while (p < limit && *p == before)
		p++;
	return (size_t)(p - at);
}

/* Does a run worth a match begin here? Four bytes like the one before. */
static inline int
is_run(const uint8_t *at, const uint8_t *end)
{
	uint32_t here, before;

	if (end - at < RUN_MIN)
		return 0;
	memcpy(&here, at, 4);
	memcpy(&before, at - 1, 4);
	return here == before;
}

static void
count_symbols(uint32_t *counts, const uint8_t *bytes, size_t len)
{
	const uint8_t *at = bytes, *end = bytes + len;

	counts[END_OF_BLOCK] = 1;
	counts[*at++]++;
	while (at < end) {
		if (is_run(at, end)) {
			size_t run = run_at(at, end);

			counts[length_code((int)run).symbol]++;
			at += run;
		} else {
			counts[*at++]++;
		}
	}
}

static void
put_run(struct bits *b, int run, const uint16_t *codes, const uint8_t *lengths)
{
	const struct length_code code = length_code(run);

	put_bits(b, codes[code.symbol], lengths[code.symbol]);
	put_bits(b, (uint32_t)(run - code.base), code.extra);
	put_bits(b, 0, 1); /* the one distance */
}

static void
put_symbols(struct bits *b, const uint8_t *bytes, size_t len, const uint16_t *codes, const uint8_t *lengths)
{
	const uint8_t *at = bytes, *end = bytes + len;

	put_bits(b, codes[*at], lengths[*at]);
	for (at++; at < end;) {
		if (is_run(at, end)) {
			size_t run = run_at(at, end);

			put_run(b, (int)run, codes, lengths);
			at += run;
		} else {
			put_bits(b, codes[*at], lengths[*at]);
			at++;
		}
	}
	put_bits(b, codes[END_OF_BLOCK], lengths[END_OF_BLOCK]);
}

/* --- blocks */

/* The lengths themselves, in a Huffman code of their own; zeros in runs. */
static void
put_lengths(struct bits *b, const uint8_t *lengths)
{
	static const uint8_t order[HEAD_CODES] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };
	uint8_t  all[LITERALS + 1], heads[LITERALS + 1], extras[LITERALS + 1], head_lengths[HEAD_CODES];
	uint16_t head_codes[HEAD_CODES];
	uint32_t counts[HEAD_CODES] = { 0 };
	int      n = 0;

	memcpy(all, lengths, LITERALS);
	all[LITERALS] = 1; /* the one distance code, of one bit */
	for (int i = 0; i <= LITERALS; n++) {
		int zeros = 0;

		while (i + zeros < LITERALS && zeros < 138 && all[i + zeros] == 0)
			zeros++;
		heads[n] = zeros >= 11 ? 18 : zeros >= 3 ? 17 : all[i];
		extras[n] = (uint8_t)(zeros >= 11 ? zeros - 11 : zeros >= 3 ? zeros - 3 : 0);
		i += zeros >= 3 ? zeros : 1;
		counts[heads[n]]++;
	}
	code_lengths(head_lengths, counts, HEAD_CODES, HEAD_BITS_MAX);
	make_codes(head_codes, head_lengths, HEAD_CODES);
	put_bits(b, LITERALS - 257, 5);
	put_bits(b, 0, 5);
	put_bits(b, HEAD_CODES - 4, 4);
	for (int i = 0; i < HEAD_CODES; i++)
		put_bits(b, head_lengths[order[i]], 3);
	for (int i = 0; i < n; i++) {
		put_bits(b, head_codes[heads[i]], head_lengths[heads[i]]);
		put_bits(b, extras[i], heads[i] == 18 ? 7 : heads[i] == 17 ? 3 : 0);
	}
}

static void
put_block(struct bits *b, const uint8_t *bytes, size_t len)
{
	uint32_t counts[LITERALS] = { 0 };
	uint8_t  lengths[LITERALS];
	uint16_t codes[LITERALS];

	count_symbols(counts, bytes, len);
	code_lengths(lengths, counts, LITERALS, BITS_MAX);
	make_codes(codes, lengths, LITERALS);
	put_bits(b, 4, 3); /* not the last; dynamic codes */
	put_lengths(b, lengths);
	put_symbols(b, bytes, len, codes, lengths);
}

void
fg_deflate_runs(struct fg_buf *out, const unsigned char *bytes, size_t len)
{
	struct bits b = { 0 };

	for (size_t n; len > 0; bytes += n, len -= n) {
		n = len < BLOCK_BYTES ? len : BLOCK_BYTES;
		b.at = (uint8_t *)fg_buf_room(out, n * 2 + 1024); /* a code has at most 15 bits */

		const uint8_t *begin = b.at;

		put_block(&b, bytes, n);
		out->len += (size_t)(b.at - begin);
	}
	b.at = (uint8_t *)fg_buf_room(out, 16);

	const uint8_t *begin = b.at;

	put_bits(&b, 0, 3); /* a stored block without bytes ends at a byte */
	end_bits(&b);
	memcpy(b.at, "\0\0\xff\xff", 4);
	out->len += (size_t)(b.at + 4 - begin);
}
