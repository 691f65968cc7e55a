/* stitch: lib/image at work on files, for tests/bench/pictures.py and for looking at a picture by hand.
 *
 *   stitch [-t THREADS] stitch OUT.EXT COLUMNS ROWS TILE…    tiles without overscan, row by row
 *   stitch [-t THREADS] thumb OUT.jpg WIDTH IN
 *   stitch [-t THREADS] display OUT.png IN
 *   stitch check IN…      each checked 20 times; prints milliseconds of the quickest
 *   stitch decode IN…     the same with a plain decode of all rows by the format's library
 *   stitch same A B       exit status 0 when both decode to the same samples
 *   stitch run COMMAND…   any command; prints wall seconds, CPU seconds and peak RSS in KiB (measured here because a child of Python would
 *                         begin with Python's memory)
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "image/codec.h"
#include "image/stitch.h"
#include "image/thumb.h"

static int threads;

static int
failed(enum fg_err err)
{
	if (err != FG_OK)
		fprintf(stderr, "stitch: %s: %s\n", fg_err_name(err), fg_err_text(err));
	return err != FG_OK;
}

static int
create(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		perror(path);
	return fd;
}

static enum fg_image_format
format_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	for (int f = FG_IMAGE_PNG; dot != NULL && f < FG_IMAGE_FORMATS; f++)
		if (strcmp(dot + 1, fg_image_format_name((enum fg_image_format)f)) == 0)
			return (enum fg_image_format)f;
	return FG_IMAGE_NONE;
}

/* The place of each tile follows from the sizes in the files. */
static int
place(struct fg_stitch *job, struct fg_stitch_tile *tiles, char **paths)
{
	for (int i = 0, x = 0, y = 0; i < job->rows * job->columns; i++) {
		struct fg_image_info info;
		int                  fd = open(paths[i], O_RDONLY | O_CLOEXEC);

		if (failed(fg_image_probe(&info, fd)))
			return 1;
		close(fd);
		tiles[i] = (struct fg_stitch_tile){ .path = paths[i], .x = x, .y = y, .width = info.width, .height = info.height };
		x += info.width;
		job->width = x;
		job->height = y + info.height;
		if ((i + 1) % job->columns == 0)
			x = 0, y += info.height;
	}
	return 0;
}

static int
do_stitch(int argc, char **argv)
{
	struct fg_stitch_said  said;
	struct fg_stitch       job = { .columns = (int)strtol(argv[1], NULL, 10), .rows = (int)strtol(argv[2], NULL, 10), .threads = threads, .said = &said };
	struct fg_stitch_tile *tiles = fg_alloc((size_t)argc * sizeof(*tiles));
	int                    out, bad;

	if (job.rows < 1 || job.columns < 1 || argc - 3 != job.rows * job.columns || place(&job, tiles, argv + 3) != 0)
		return 2;
	job.tiles = tiles;
	job.format = format_of(argv[0]);
	out = create(argv[0]);
	bad = out < 0 || failed(fg_stitch(out, &job));
	if (!bad && said.text[0] != '\0')
		printf("%s\n", said.text);
	free(tiles);
	return bad;
}

/* How: OUT [WIDTH] IN */
static int
do_thumb(int argc, char **argv)
{
	const struct fg_thumb how = { .width = argc == 3 ? (int)strtol(argv[1], NULL, 10) : 0, .threads = threads };
	int                   in = open(argv[argc - 1], O_RDONLY | O_CLOEXEC), out = create(argv[0]);

	if (in < 0 || out < 0)
		return 2;
	return failed((argc == 3 ? fg_thumb : fg_display_png)(out, in, &how));
}

static enum fg_err
decode(int fd)
{
	struct fg_rows rows = { 0 };
	enum fg_err    err = fg_rows_open(&rows, fd);
	uint8_t       *row = err == FG_OK ? fg_alloc((size_t)rows.info.width * rows.pixel_bytes) : NULL;

	for (int y = 0; err == FG_OK && y < rows.info.height; y++)
		err = rows.read(&rows, row);
	free(row);
	fg_rows_close(&rows);
	return err;
}

static double
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int
do_check(int argc, char **argv, bool plain)
{
	int bad = 0;

	for (int i = 0; i < argc; i++) {
		struct fg_image_verdict v = { 0 };
		double                  best = 1e9;
		int                     fd = open(argv[i], O_RDONLY | O_CLOEXEC);
		enum fg_err             err = FG_OK;

		for (int n = 0; n < 20 && err == FG_OK; n++) {
			double begin = now_ms(), took;

			err = plain ? decode(fd) : fg_image_check(&v, fd, &(const struct fg_image_expect){ 0 });
			took = now_ms() - begin;
			best = took < best ? took : best;
		}
		close(fd);
		bad = failed(err) || bad;
		if (err == FG_OK)
			printf("%s: %s %d x %d, %d x %d bit%s, %d layers%s: %.2f ms\n", argv[i], fg_image_format_name(v.info.format), v.info.width,
				v.info.height, v.info.channels, v.info.bits, v.info.is_float ? " float" : "", v.info.layers, v.black ? ", black" : "", best);
	}
	return bad;
}

static int
do_same(char **paths)
{
	struct fg_rows rows[2] = { 0 };
	uint8_t       *row[2];
	size_t         len;

	for (int i = 0; i < 2; i++) {
		if (failed(fg_rows_open(&rows[i], open(paths[i], O_RDONLY | O_CLOEXEC))))
			return 2;
		row[i] = fg_alloc((size_t)rows[i].info.width * rows[i].pixel_bytes);
	}
	len = (size_t)rows[0].info.width * rows[0].pixel_bytes;
	if (rows[0].info.width != rows[1].info.width || rows[0].info.height != rows[1].info.height || rows[0].info.channels != rows[1].info.channels ||
	    len != (size_t)rows[1].info.width * rows[1].pixel_bytes)
		return 1;
	for (int y = 0; y < rows[0].info.height; y++)
		if (failed(rows[0].read(&rows[0], row[0])) || failed(rows[1].read(&rows[1], row[1])) || memcmp(row[0], row[1], len) != 0)
			return 1;
	return 0;
}

static int
do_run(char **argv)
{
	const double  begin = now_ms();
	struct rusage use;
	int           status;
	pid_t         child = fork();

	if (child == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &use) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return 1;
	printf("%.4f %.4f %ld\n", (now_ms() - begin) / 1e3,
		(double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6, use.ru_maxrss);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "-t") == 0) {
		threads = (int)strtol(argv[2], NULL, 10);
		argc -= 2;
		argv += 2;
	}
	if (argc > 5 && strcmp(argv[1], "stitch") == 0)
		return do_stitch(argc - 2, argv + 2);
	if (argc == 5 && strcmp(argv[1], "thumb") == 0)
		return do_thumb(3, argv + 2);
	if (argc == 4 && strcmp(argv[1], "display") == 0)
		return do_thumb(2, argv + 2);
	if (argc > 2 && strcmp(argv[1], "check") == 0)
		return do_check(argc - 2, argv + 2, false);
	if (argc == 4 && strcmp(argv[1], "same") == 0)
		return do_same(argv + 2);
	if (argc > 2 && strcmp(argv[1], "run") == 0)
		return do_run(argv + 2);
	if (argc > 2 && strcmp(argv[1], "decode") == 0)
		return do_check(argc - 2, argv + 2, true);
	fprintf(stderr, "usage: stitch [-t THREADS] stitch|thumb|display|check|decode|same|run …  (see tests/bench/stitch.c)\n");
	return 2;
}
