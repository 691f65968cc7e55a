/* display: the one way from linear light to what a screen shows, for previews, thumbnails and videos. */
#ifndef FG_IMAGE_DISPLAY_H
#define FG_IMAGE_DISPLAY_H

#include <stdbool.h>
#include <stdint.h>

struct fg_display {
	float exposure_stops; /**< linear values are multiplied by 2 to this power first */
	bool  filmic;         /**< bend highlights softly into white instead of clipping at 1 */
};

/** One sample: linear (scene referred; NaN and below 0 are black) → 0…1 with the sRGB curve. */
float fg_display(const struct fg_display *how, float linear);

/** The same as 0…255, rounded. */
uint8_t fg_display_byte(const struct fg_display *how, float linear);

/** The sRGB curve backwards: a sample of an ordinary picture, 0…1 → linear 0…1. */
float fg_display_linear(float srgb);

/** fg_display_byte for many samples: a table for values from 2 to the power FG_DISPLAY_LOW (what is below is black) to FG_DISPLAY_HIGH. */
enum { FG_DISPLAY_LOW = -13, FG_DISPLAY_HIGH = 5 };
struct fg_display_table {
	float   gain;
	uint8_t bytes[(FG_DISPLAY_HIGH - FG_DISPLAY_LOW) << 11];
};
void    fg_display_table(struct fg_display_table *out, const struct fg_display *how);
uint8_t fg_display_lookup(const struct fg_display_table *table, float linear); /**< at most one level from fg_display_byte */

#endif
