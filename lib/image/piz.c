/* piz: see piz.h. A chunk is: the bitmap of the values that occur, from its first byte that is not 0 to its last; the length of what
 * follows; a head of five words; the lengths of the codes; the codes. */
#include "image/piz.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum {
	SYMBOLS = 65537,      /* 16-bit words, and one more: "again" */
	CODE_BITS_MAX = 57,   /* the format knows 58, which no picture that we take can lead to; peek() gives 57 */
	TABLE_BITS = 13,      /* codes up to this long are found at once: the table stays in the nearest cache */
	LENGTH_BITS = 6,      /* an entry of the table: symbol << 6 | length of its code; 0: a longer code */
	LENGTH_MASK = 63,
	BITMAP_BYTES = 8192,
	HEAD_BYTES = 20,
	WORD_BITS_MAX = 14,   /* the wavelet has a way for words that are small, and one for all */
};

/* --- bits, from the highest of each byte on */

struct bits {
	const uint8_t *bytes;
	size_t         at, len; /* bits; reading stops where at is beyond len */
};

/* The next bits, the first of them on top; 57 of them or more are good, 0 follows. */
static inline uint64_t
peek(const struct bits *bits)
{
	uint64_t word;

	memcpy(&word, bits->bytes + bits->at / 8, sizeof(word));
	return __builtin_bswap64(word) << bits->at % 8;
}

static bool
read_bits(struct bits *bits, unsigned n, unsigned *out)
{
	if (bits->len - bits->at < n)
		return false;
	*out = (unsigned)(peek(bits) >> (64 - n));
	bits->at += n;
	return true;
}

/* --- the code */

struct code {
	uint8_t  lengths[SYMBOLS];              /* 0: has no code */
	uint32_t sorted[SYMBOLS];               /* symbols by the length of their code, then by number */
	uint64_t first[CODE_BITS_MAX + 2];      /* of each length, the first code, its bits on top; longer codes lie below shorter ones */
	uint32_t offset[CODE_BITS_MAX + 2];     /* of each length, the first in sorted */
	uint32_t table[1 << TABLE_BITS];
	uint32_t again;                         /* the symbol that repeats the word before it */
	int      longest;
};

/* The lengths of the codes of symbols from … to, 6 bits each; 59 to 62 stand for 2 to 5 without a code, 63 and 8 bits for 6 and more. */
static bool
read_lengths(struct code *code, struct bits *bits, uint32_t from, uint32_t to)
{
	memset(code->lengths, 0, sizeof(code->lengths));
	for (uint32_t symbol = from; symbol <= to; symbol++) {
		unsigned length, more = 0;

		if (!read_bits(bits, 6, &length) || (length == 63 && !read_bits(bits, 8, &more)))
			return false;
		if (length == CODE_BITS_MAX + 1)
			return false;
		if (length > CODE_BITS_MAX) {
			const uint32_t none = length == 63 ? more + 6 : length - 57;

			if (none > to + 1 - symbol)
				return false;
			symbol += none - 1;
			continue;
		}
		code->lengths[symbol] = (uint8_t)length;
	}
	bits->at = (bits->at + 7) / 8 * 8;
	return true;
}

/* Codes are numbered from the longest, at 0, to the shortest. False: there are more of a length than fit. */
static bool
number_codes(struct code *code, uint32_t from, uint32_t to)
{
	uint32_t count[CODE_BITS_MAX + 2] = { 0 }, sorted = 0;
	uint64_t next = 0;

	for (uint32_t symbol = from; symbol <= to; symbol++)
		count[code->lengths[symbol]]++;
	code->longest = 0;
	for (int length = 1; length <= CODE_BITS_MAX; length++) {
		code->offset[length] = sorted;
		sorted += count[length];
		code->longest = count[length] > 0 ? length : code->longest;
	}
	for (int length = CODE_BITS_MAX; length >= 1; length--) {
		if (count[length] > 0 && next + count[length] > 1ull << length)
			return false;
		code->first[length] = next << (64 - length);
		next = (next + count[length]) >> 1;
	}
	memcpy(count, code->offset, sizeof(count));
	for (uint32_t symbol = from; symbol <= to; symbol++)
		if (code->lengths[symbol] > 0)
			code->sorted[count[code->lengths[symbol]]++] = symbol;
	code->offset[CODE_BITS_MAX + 1] = sorted;
	return sorted > 0;
}

static void
fill_table(struct code *code)
{
	memset(code->table, 0, sizeof(code->table));
	for (int length = 1; length <= TABLE_BITS; length++) {
		const size_t each = (size_t)1 << (TABLE_BITS - length);
		uint32_t    *entry = code->table + (code->first[length] >> (64 - TABLE_BITS));

		for (uint32_t i = code->offset[length]; i < code->offset[length + 1]; i++)
			for (size_t n = 0; n < each; n++)
				*entry++ = code->sorted[i] << LENGTH_BITS | (uint32_t)length;
	}
}

/* A code that is not in the table, as an entry of it; 0: there is none. */
static uint32_t
find_long(const struct code *code, const struct bits *bits)
{
	const uint64_t next = peek(bits);

	for (int length = TABLE_BITS + 1; length <= code->longest; length++) {
		const uint64_t rank = (next - code->first[length]) >> (64 - length);

		if (next >= code->first[length] && rank < code->offset[length + 1] - code->offset[length])
			return code->sorted[code->offset[length] + rank] << LENGTH_BITS | (uint32_t)length;
	}
	return 0;
}

/* The word before, once more or up to 255 times. Where the next word goes; NULL: damaged. */
static uint16_t *
repeat(struct bits *bits, const uint16_t *begin, uint16_t *out, const uint16_t *end)
{
	unsigned n;

	if (!read_bits(bits, 8, &n) || out == begin || n > (size_t)(end - out))
		return NULL;
	for (const uint16_t word = out[-1]; n > 0; n--)
		*out++ = word;
	return out;
}

/* One code by itself: a long one, or "again". Where the next word goes; NULL: damaged. */
static uint16_t *
decode_one(const struct code *code, struct bits *bits, const uint16_t *begin, uint16_t *out, const uint16_t *end)
{
	uint32_t entry;

	if (bits->at >= bits->len)
		return NULL;
	entry = code->table[peek(bits) >> (64 - TABLE_BITS)];
	if (entry == 0 && (entry = find_long(code, bits)) == 0)
		return NULL;
	bits->at += entry & LENGTH_MASK;
	if (bits->at > bits->len)
		return NULL;
	if (entry >> LENGTH_BITS == code->again)
		return repeat(bits, begin, out, end);
	*out++ = (uint16_t)(entry >> LENGTH_BITS);
	return out;
}

/* All words, from all bits. Four codes of the table fit into what peek() gives. */
static bool
decode(const struct code *code, struct bits *bits, uint16_t *out, const uint16_t *end)
{
	const uint16_t *begin = out;

	while (out != NULL && out < end) {
		uint64_t next = peek(bits);
		int      n = 0;

		for (; n < 4 && out < end; n++) {
			const uint32_t entry = code->table[next >> (64 - TABLE_BITS)];

			if (entry == 0 || entry >> LENGTH_BITS == code->again)
				break;
			*out++ = (uint16_t)(entry >> LENGTH_BITS);
			next <<= entry & LENGTH_MASK;
			bits->at += entry & LENGTH_MASK;
		}
		if (bits->at > bits->len)
			return false;
		if (n < 4 && out < end)
			out = decode_one(code, bits, begin, out, end);
	}
	return out == end && bits->at == bits->len;
}

static uint32_t
word_at(const uint8_t *in)
{
	return (uint32_t)in[3] << 24 | (uint32_t)in[2] << 16 | (uint32_t)in[1] << 8 | in[0];
}

/* The head: the least symbol, the greatest, two words that are not needed around the number of bits. */
static bool
undo_huffman(uint16_t *out, size_t nwords, const uint8_t *in, size_t len)
{
	const uint32_t from = len < HEAD_BYTES ? SYMBOLS : word_at(in), to = len < HEAD_BYTES ? 0 : word_at(in + 4);
	const uint32_t nbits = len < HEAD_BYTES ? 0 : word_at(in + 12);
	struct bits    bits = { .bytes = in, .at = (size_t)HEAD_BYTES * 8, .len = len * 8 };
	struct code   *code;
	bool           good;

	if (from > to || to >= SYMBOLS)
		return false;
	code = fg_alloc(sizeof(*code));
	code->again = to;
	good = read_lengths(code, &bits, from, to) && bits.at <= bits.len && nbits <= bits.len - bits.at && number_codes(code, from, to);
	if (good) {
		bits.len = bits.at + nbits;
		fill_table(code);
		good = decode(code, &bits, out, out + nwords);
	}
	free(code);
	return good;
}

/* --- the wavelet */

/* Of a mean and a difference, the two words that they were made of. */
static inline void
part(uint16_t *one, uint16_t *other, bool small)
{
	if (small) {
		const int16_t mean = (int16_t)*one, difference = (int16_t)*other;

		*one = (uint16_t)(mean + (difference & 1) + (difference >> 1));
		*other = (uint16_t)(*one - difference);
	} else {
		const uint16_t mean = *one, difference = *other;

		*other = (uint16_t)(mean - (difference >> 1));
		*one = (uint16_t)(difference + *other - 0x8000);
	}
}

/* Squares of four words, `step` apart, from row above and row below; what is left over at the right has only the two above each other. */
static inline void
part_rows(uint16_t *restrict above, uint16_t *restrict below, int width, int step, int stride, bool small)
{
	int x = 0;

	for (; x + 2 * step <= width; x += 2 * step) {
		uint16_t *a = above + (size_t)x * (size_t)stride, *b = below + (size_t)x * (size_t)stride;
		uint16_t *a1 = a + (size_t)step * (size_t)stride, *b1 = b + (size_t)step * (size_t)stride;

		part(a, b, small);
		part(a1, b1, small);
		part(a, a1, small);
		part(b, b1, small);
	}
	if (width & step)
		part(above + (size_t)x * (size_t)stride, below + (size_t)x * (size_t)stride, small);
}

static inline void
part_row(uint16_t *row, int width, int step, int stride, bool small)
{
	for (int x = 0; x + 2 * step <= width; x += 2 * step)
		part(row + (size_t)x * (size_t)stride, row + (size_t)(x + step) * (size_t)stride, small);
}

static inline void
undo_level(uint16_t *words, int width, int lines, int step, int stride, bool small)
{
	const size_t line = (size_t)width * (size_t)stride;
	int          y = 0;

	for (; y + 2 * step <= lines; y += 2 * step)
		part_rows(words + (size_t)y * line, words + (size_t)(y + step) * line, width, step, stride, small);
	if (lines & step)
		part_row(words + (size_t)y * line, width, step, stride, small);
}

/* A plane of words that lie `stride` apart. The last level, most of the work, has its own copy for words side by side, for the compiler's sake. */
static void
undo_wavelet(uint16_t *words, int width, int lines, int stride, bool small)
{
	const int least = width < lines ? width : lines;
	int       step = 1;

	while (step <= least / 2)
		step *= 2;
	for (step /= 2; step >= 1; step /= 2)
		if (step == 1 && stride == 1 && small)
			undo_level(words, width, lines, 1, 1, true);
		else if (step == 1 && stride == 1)
			undo_level(words, width, lines, 1, 1, false);
		else
			undo_level(words, width, lines, step, stride, small);
}

/* --- a chunk */

/* The values that occur, 0 always among them, by number. Returns how many bytes of `in` told; 0: damaged. */
static size_t
read_values(uint16_t *values, int *nvalues, const uint8_t *in, size_t len)
{
	const size_t first = len < 4 ? BITMAP_BYTES : in[0] | (size_t)in[1] << 8, last = len < 4 ? 0 : in[2] | (size_t)in[3] << 8;
	const size_t told = first <= last ? last - first + 1 : 0;

	if (len < 4 || last >= BITMAP_BYTES || told > len - 4)
		return 0;
	values[0] = 0;
	*nvalues = 1;
	for (size_t i = 0; i < told * 8; i++)
		if ((in[4 + i / 8] >> i % 8 & 1) && first * 8 + i > 0)
			values[(*nvalues)++] = (uint16_t)(first * 8 + i);
	memset(values + *nvalues, 0, (size_t)(BITMAP_BYTES * 8 - *nvalues) * sizeof(*values));
	return 4 + told;
}

static void
put_row(uint8_t *out, const uint16_t *in, const uint16_t *values, size_t nwords)
{
	for (size_t i = 0; i < nwords; i++) {
		const uint16_t word = values[in[i]];

		out[2 * i] = (uint8_t)word;
		out[2 * i + 1] = (uint8_t)(word >> 8);
	}
}

/* Planes, channel after channel, become lines with a row of each channel. */
static void
put_lines(uint8_t *out, const uint16_t *planes, const uint16_t *values, const struct fg_piz_shape *shape)
{
	for (int y = 0; y < shape->lines; y++) {
		const uint16_t *plane = planes;

		for (int i = 0; i < shape->channels; i++) {
			const size_t row = (size_t)shape->width * shape->bytes[i] / 2;

			put_row(out, plane + (size_t)y * row, values, row);
			plane += (size_t)shape->lines * row;
			out += row * 2;
		}
	}
}

bool
fg_piz_undo(uint8_t *out, const uint8_t *in, size_t len, uint16_t *work, const struct fg_piz_shape *shape)
{
	uint16_t    *values = fg_alloc((size_t)BITMAP_BYTES * 8 * sizeof(*values)), *plane = work;
	size_t       nwords = 0;
	int          nvalues = 0;
	const size_t told = read_values(values, &nvalues, in, len);
	const bool   framed = told > 0 && len - told >= 4 && word_at(in + told) <= len - told - 4;
	bool         good;

	for (int i = 0; i < shape->channels; i++)
		nwords += (size_t)shape->lines * (size_t)shape->width * shape->bytes[i] / 2;
	good = framed && undo_huffman(work, nwords, in + told + 4, word_at(in + told));
	for (int i = 0; good && i < shape->channels; i++) {
		const int stride = shape->bytes[i] / 2;

		for (int j = 0; j < stride; j++)
			undo_wavelet(plane + j, shape->width, shape->lines, stride, nvalues - 1 < 1 << WORD_BITS_MAX);
		plane += (size_t)shape->lines * (size_t)shape->width * (size_t)stride;
	}
	if (good)
		put_lines(out, work, values, shape);
	free(values);
	return good;
}
