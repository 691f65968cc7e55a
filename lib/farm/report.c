#include "farm/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "base/fs.h"
#include "base/log.h"
#include "text/escape.h"

/* The numbers that clients give their errors, as far as they matter here. */
static const struct kind {
	int           type;
	enum fg_blame blame;
	const char   *why;
} kinds[] = {
	{ 0, FG_BLAME_NOBODY, "no error" },
	{ 4, FG_BLAME_NOBODY, "the client's session was disabled" },
	{ 5, FG_BLAME_BOTH, "the renderer was not available" },
	{ 6, FG_BLAME_BOTH, "the renderer was missing after its download" },
	{ 7, FG_BLAME_BOTH, "the scene was missing after its download" },
	{ 8, FG_BLAME_BOTH, "Blender ended without a picture" },
	{ 9, FG_BLAME_BOTH, "the download failed" },
	{ 10, FG_BLAME_BOTH, "the worker could not create a folder" },
	{ 11, FG_BLAME_NOBODY, "the worker's network failed" },
	{ 12, FG_BLAME_BOTH, "Blender crashed" },
	{ 13, FG_BLAME_MEMORY, "the graphics card ran out of memory" },
	{ 14, FG_BLAME_BOTH, "Blender was killed" },
	{ 15, FG_BLAME_BOTH, "libraries that Blender needs are missing on the worker" },
	{ 16, FG_BLAME_BOTH, "Blender could not be started" },
	{ 17, FG_BLAME_BOTH, "the worker's system is not supported" },
	{ 18, FG_BLAME_BOTH, "the worker's processor is not supported" },
	{ 19, FG_BLAME_BOTH, "the worker's graphics card is not supported" },
	{ 20, FG_BLAME_NOBODY, "stopped by the worker's owner" },
	{ 21, FG_BLAME_MEMORY, "Blender ran out of memory" },
	{ 22, FG_BLAME_NOBODY, "stopped by the portal" },
	{ 23, FG_BLAME_NOBODY, "it took longer than the worker's owner allows" },
	{ 24, FG_BLAME_BOTH, "the scene's Python failed" },
	{ 25, FG_BLAME_NOBODY, "the picture was refused" },
	{ 26, FG_BLAME_BOTH, "the picture was too large" },
	{ 27, FG_BLAME_BOTH, "the render engine is missing in this Blender" },
	{ 29, FG_BLAME_BOTH, "denoising is not supported by this Blender" },
};
static const struct kind other = { 99, FG_BLAME_BOTH, "the worker reported an error" };

enum { LINE = 300, PIECE = 65536 };

static const struct kind *
kind_of(int type)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].type == type)
			return &kinds[i];
	return &other;
}

/** The last line of the log in which Blender says what went wrong. */
struct finder {
	char   line[LINE], found[LINE];
	size_t len;
	bool   sure; /**< it is more than a hint */
};

/* Where the first of the signs begins, with the word that it ends and an interface's name before it: "NameError: …", "CUDA error: …". */
static const char *
first_of(const char *line, const char *const *signs, size_t count)
{
	static const char *const interfaces[] = { "CUDA ", "OptiX ", "OPTIX ", "HIP ", "OpenCL ", "oneAPI ", "Metal " };
	const char              *out = NULL;

	for (size_t i = 0; i < count; i++) {
		const char *at = strstr(line, signs[i]);

		out = at != NULL && (out == NULL || at < out) ? at : out;
	}
	while (out != NULL && out > line && ((out[-1] >= 'A' && out[-1] <= 'Z') || (out[-1] >= 'a' && out[-1] <= 'z')))
		out--;
	for (size_t i = 0; out != NULL && i < sizeof(interfaces) / sizeof(*interfaces); i++) {
		const size_t len = strlen(interfaces[i]);

		if ((size_t)(out - line) >= len && memcmp(out - len, interfaces[i], len) == 0)
			return out - len;
	}
	return out;
}

static void
end_line(struct finder *finder)
{
	static const char *const signs[] = { "Error:", "error: ", "Build without", "out of memory", "Out of memory", "Traceback", "MemoryError", "Segmentation fault", "not a blend file" };
	static const char *const hints[] = { "nable to open", "annot open", "annot read", "No such file", "Killed", "imed out", "ime-out", "enoiser not available" };
	const char              *at;

	finder->line[finder->len] = '\0';
	if ((at = first_of(finder->line, signs, sizeof(signs) / sizeof(*signs))) != NULL)
		finder->sure = true;
	else if (!finder->sure)
		at = first_of(finder->line, hints, sizeof(hints) / sizeof(*hints));
	if (at != NULL)
		snprintf(finder->found, sizeof(finder->found), "%s", at);
	finder->len = 0;
}

static void
find_in(struct finder *finder, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] == '\n' || bytes[i] == '\r')
			end_line(finder);
		else if (finder->len + 1 < sizeof(finder->line))
			finder->line[finder->len++] = (unsigned char)bytes[i] < 0x20 || (unsigned char)bytes[i] > 0x7e ? ' ' : bytes[i];
}

/* Reads the log once: looks for the reason, and writes its first log_bytes compressed. */
static enum fg_err
pack(struct fg_spool_file *out, struct finder *finder, int fd, int64_t most)
{
	static char piece[PIECE];
	const int   copy = dup(out->fd);
	gzFile      gz = copy >= 0 ? gzdopen(copy, "wb6") : NULL;
	int64_t     done = 0;
	ssize_t     got;
	bool        bad = false;

	if (gz == NULL) {
		if (copy >= 0)
			close(copy);
		return fg_fail(FG_EIO, "no descriptor or memory for a log");
	}
	while (!bad && (got = pread(fd, piece, sizeof(piece), done)) > 0) {
		const int64_t room = most > done ? most - done : 0;

		find_in(finder, piece, (size_t)got);
		if (room > 0)
			bad = gzwrite(gz, piece, (unsigned)(got < room ? got : room)) <= 0;
		done += got;
	}
	end_line(finder);
	return gzclose(gz) == Z_OK && !bad ? FG_OK : fg_fail(FG_EIO, "a log could not be written");
}

static enum fg_err
keep_log(struct finder *finder, struct fg_farm *farm, const struct fg_lease *lease, int fd)
{
	struct fg_spool_file file = FG_SPOOL_NO_FILE;
	char                 name[FG_SPOOL_NAME];
	enum fg_err          err;

	fg_spool_log(name, lease->project, lease->id);
	if ((err = fg_spool_create(&file, &farm->spool)) == FG_OK && (err = pack(&file, finder, fd, farm->settings.log_bytes)) == FG_OK)
		err = fg_spool_commit(&file, &farm->spool, name);
	fg_spool_discard(&file);
	return err;
}

enum fg_err
fg_report_take(const struct fg_report *report, struct fg_farm *farm, int64_t now_ms)
{
	const struct kind *kind = kind_of(report->type);
	struct finder      finder = { .len = 0 };
	struct fg_lease    lease;
	char               why[LINE + 120];
	bool               has_log = false;
	enum fg_err        err;

	if (report->lease == FG_NO_LEASE || (err = fg_lease_find(&lease, farm->db, report->lease, report->key)) == FG_ENOTFOUND) {
		fg_log(FG_LOG_INFO, "worker.report", "type=%d lease=%" PRId64, report->type, report->lease);
		return FG_OK;
	}
	if (err != FG_OK)
		return err;
	if (report->log_fd >= 0)
		has_log = keep_log(&finder, farm, &lease, report->log_fd) == FG_OK; /* without its log the failure counts all the same */
	if (report->log_alone)
		return has_log ? fg_lease_keep_log(farm->db, lease.id) : FG_OK;
	if (finder.found[0] != '\0' && kind->blame != FG_BLAME_NOBODY)
		snprintf(why, sizeof(why), "%s: %s", kind->why, finder.found);
	else
		snprintf(why, sizeof(why), "%s", kind->why);
	return fg_lease_fail(farm->db, &farm->settings,
	                     &(struct fg_failure){ .lease = lease.id, .key = report->key, .blame = kind->blame, .why = why, .memory_kib = report->memory_kib,
	                                           .has_log = has_log },
	                     now_ms);
}

/* Bytes beyond ASCII that make no UTF-8, and control characters, become '?'. */
static void
add_plain(struct fg_buf *out, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len;) {
		const unsigned char c = (unsigned char)bytes[i];
		const size_t        size = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

		if (i + size <= len && fg_utf8_valid(bytes + i, size) && (c >= 0x20 || c == '\n' || c == '\t') && c != 0x7f) {
			fg_buf_add(out, bytes + i, size);
			i += size;
		} else {
			if (c != '\r')
				fg_buf_char(out, '?');
			i++;
		}
	}
}

enum fg_err
fg_report_log(struct fg_buf *out, struct fg_farm *farm, int64_t project, int64_t lease)
{
	char        name[FG_SPOOL_NAME], path[PATH_MAX], *text;
	int64_t     there = 0;
	gzFile      gz;
	int         got;
	enum fg_err err = fg_db_int(&there, farm->db, FG_SQL_LEASE_LOG_OF, FG_BINDS(FG_I("lease", lease), FG_I("project", project)));

	if (err != FG_OK && err != FG_ENOTFOUND)
		return err;
	fg_spool_log(name, project, lease);
	fg_spool_path(path, &farm->spool, name);
	if (!there || (gz = gzopen(path, "rb")) == NULL)
		return fg_fail(FG_ENOTFOUND, "lease %" PRId64 " of project %" PRId64 " left no log", lease, project);
	text = fg_alloc((size_t)farm->settings.log_bytes);
	got = gzread(gz, text, (unsigned)farm->settings.log_bytes);
	gzclose(gz);
	add_plain(out, text, got > 0 ? (size_t)got : 0);
	free(text);
	return got >= 0 ? FG_OK : fg_fail(FG_EIO, "the log of lease %" PRId64 " is damaged", lease);
}
