#include "farm/tile.h"

#include <stdint.h>

static int
edge(int size, int count, int i)
{
	return (int)((int64_t)size * i / count);
}

static int
clamp(int value, int low, int high)
{
	return value < low ? low : value > high ? high : value;
}

struct fg_tile_place
fg_tile_place(int width, int height, int rows, int columns, int row, int column, int overscan)
{
	const int left = edge(width, columns, column), right = edge(width, columns, column + 1);
	const int top = edge(height, rows, row), bottom = edge(height, rows, row + 1);
	const int wide_left = clamp(left - overscan, 0, left), wide_right = clamp(right + overscan, right, width);
	const int wide_top = clamp(top - overscan, 0, top), wide_bottom = clamp(bottom + overscan, bottom, height);

	return (struct fg_tile_place){
		.kept = { left, top, right - left, bottom - top },
		.rendered = { wide_left, wide_top, wide_right - wide_left, wide_bottom - wide_top },
	};
}

int
fg_frame_side(int resolution, int percent)
{
	return (int)((int64_t)resolution * percent / 100);
}
