/* display: see display.h. The table in fg_display_table is indexed by the upper bits of a float: 2048 steps in each power of two, which is
 * finer than a 255th anywhere on the curve. */
#include "image/display.h"

#include <math.h>
#include <string.h>

enum { MANTISSA = 11, SHIFT = 23 - MANTISSA };

/* A rational curve with a soft toe and shoulder; about 0.8 at 1, white from about 8 on. */
static float
film(float x)
{
	return x * (2.51f * x + 0.03f) / (x * (2.43f * x + 0.59f) + 0.14f);
}

static float
srgb(float x)
{
	return x <= 0.0031308f ? 12.92f * x : 1.055f * powf(x, 1 / 2.4f) - 0.055f;
}

float
fg_display(const struct fg_display *how, float linear)
{
	if (!(linear > 0)) /* NaN too */
		return 0;

	float x = fminf(linear * exp2f(how->exposure_stops), 65504);

	return srgb(fminf(how->filmic ? film(x) : x, 1));
}

uint8_t
fg_display_byte(const struct fg_display *how, float linear)
{
	return (uint8_t)(fg_display(how, linear) * 255 + 0.5f);
}

float
fg_display_linear(float x)
{
	return x <= 0.04045f ? x / 12.92f : powf((x + 0.055f) / 1.055f, 2.4f);
}

static float
from_bits(uint32_t bits)
{
	float x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

void
fg_display_table(struct fg_display_table *out, const struct fg_display *how)
{
	const struct fg_display curve = { .filmic = how->filmic };
	const uint32_t          low = (uint32_t)(127 + FG_DISPLAY_LOW) << 23;

	out->gain = exp2f(how->exposure_stops);
	for (uint32_t i = 0; i < sizeof(out->bytes); i++)
		out->bytes[i] = fg_display_byte(&curve, from_bits(low + (i << SHIFT) + (1u << (SHIFT - 1))));
}

uint8_t
fg_display_lookup(const struct fg_display_table *table, float linear)
{
	const float low = from_bits((uint32_t)(127 + FG_DISPLAY_LOW) << 23), x = linear * table->gain;
	uint32_t    bits, index;

	if (!(x >= low))
		return 0;
	memcpy(&bits, &x, sizeof(bits));
	index = (bits - ((uint32_t)(127 + FG_DISPLAY_LOW) << 23)) >> SHIFT;
	return table->bytes[index < sizeof(table->bytes) ? index : sizeof(table->bytes) - 1];
}
