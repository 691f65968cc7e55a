/* decode: how long libpng takes to decode a picture, as anybody would use it: milliseconds of the median of N. `decode FILE N` */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <png.h>

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

static int
by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static int
decode(const char *path)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	void     *pixels;
	int       ok;

	if (!png_image_begin_read_from_file(&image, path))
		return 0;
	image.format = PNG_FORMAT_RGB;
	pixels = malloc(PNG_IMAGE_SIZE(image));
	ok = pixels != NULL && png_image_finish_read(&image, NULL, pixels, 0, NULL);
	free(pixels);
	return ok;
}

int
main(int argc, char **argv)
{
	const int count = argc == 3 ? (int)strtol(argv[2], NULL, 10) : 0;
	double   *took = count > 0 ? calloc((size_t)count, sizeof(*took)) : NULL;

	if (took == NULL)
		return 2;
	for (int i = 0; i < count; i++) {
		const double began = now_ms();

		if (!decode(argv[1]))
			return 1;
		took[i] = now_ms() - began;
	}
	qsort(took, (size_t)count, sizeof(*took), by_size);
	printf("%.3f\n", took[count / 2]);
	free(took);
	return 0;
}
