/* tile: where a tile lies in its frame. Integer edges, x = floor(column × width / columns), y likewise from the top; row 0 on top. */
#ifndef FG_FARM_TILE_H
#define FG_FARM_TILE_H

struct fg_rect {
	int x, y, width, height; /**< pixels; x from the left, y from the top */
};

struct fg_tile_place {
	struct fg_rect kept;     /**< the tile's part of the frame */
	struct fg_rect rendered; /**< the same with its overscan, as far as the frame goes; what a worker's file holds */
};

/** rows ≤ height and columns ≤ width are the caller's to see to. */
struct fg_tile_place fg_tile_place(int width, int height, int rows, int columns, int row, int column, int overscan);

/** A side of a frame: resolution × percent / 100, truncated as Blender does. */
int fg_frame_side(int resolution, int percent);

#endif
