#include "farm/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <zip.h>

#include "base/buf.h"
#include "base/fs.h"
#include "farm/entry_name.h"
#include "farm/zipdir.h"
#include "farm/zipout.h"

enum { ENTRIES = 100000, RATIO = 250, PIECE = 1 << 17 };
#define INFLATED_BYTES (INT64_C(64) << 30)
#define RATIO_FREE     (INT64_C(256) << 20)
enum { FLAG_ENCRYPTED = 1, FLAG_SIZE_LATER = 1 << 3, FLAG_STRONG = 1 << 6, FLAG_MASKED = 1 << 13 };
enum { DOS_REPARSE_POINT = 0x400 };

struct fg_archive {
	zip_t      *zip;
	char      **names;  /* in the archive's order */
	char      **sorted; /* the same pointers, by strcasecmp */
	size_t      count, room;
	int64_t     inflated, packed;
	bool        repack;
	struct fg_archive_limits limits;
	struct fg_tick entry_tick; /* of the entry that is inflated, and how large it says it is */
	double         entry_size;
};

/* ---- names */

/* The name as a message can carry it: control characters and bytes beyond ASCII replaced, cut. */
static const char *
shown(char out[120], const char *name, size_t len)
{
	size_t n = 0;

	for (; n < len && n < 116; n++)
		out[n] = (unsigned char)name[n] < 0x20 || (unsigned char)name[n] >= 0x7f ? '?' : name[n];
	snprintf(out + n, 4, "%s", n < len ? "..." : "");
	return out;
}

static enum fg_err
refuse(const char *name, size_t len, const char *why)
{
	char text[120];

	return fg_fail(FG_EFORMAT, "the archive's entry \"%s\" %s", shown(text, name, len), why);
}

/* ---- the directory, before libzip sees the file */

static const char *
bad_kind(const struct fg_zipdir_entry *entry)
{
	const mode_t kind = (mode_t)(entry->attributes >> 16) & S_IFMT;
	const bool   folder = entry->name[entry->name_len - 1] == '/';

	if (entry->flags & (FLAG_ENCRYPTED | FLAG_STRONG | FLAG_MASKED))
		return "is encrypted; zip the folder without a password";
	if (kind == S_IFLNK || (entry->attributes & DOS_REPARSE_POINT))
		return "is a link; put the file itself into the archive";
	if (kind != 0 && kind != S_IFREG && kind != S_IFDIR)
		return "is a device or another special file; leave it out";
	if (kind != 0 && (kind == S_IFDIR) != folder)
		return "is a folder by one mark and a file by another; zip the folder again";
	return NULL;
}

static enum fg_err
take_entry(void *context, const struct fg_zipdir_entry *entry)
{
	struct fg_archive *archive = context;
	const char        *why = fg_entry_name_bad(entry->name, entry->name_len);

	if (why == NULL)
		why = bad_kind(entry);
	if (why != NULL)
		return refuse(entry->name, entry->name_len, why);
	if (archive->count == archive->room) {
		archive->room = archive->room * 2 + 64;
		archive->names = fg_realloc(archive->names, archive->room * sizeof(*archive->names));
	}
	archive->names[archive->count] = memcpy(fg_alloc(entry->name_len + 1), entry->name, entry->name_len);
	archive->names[archive->count++][entry->name_len] = '\0';
	if ((entry->method != ZIP_CM_STORE && entry->method != ZIP_CM_DEFLATE) || (entry->method == ZIP_CM_STORE && (entry->flags & FLAG_SIZE_LATER)))
		archive->repack = true;
	return FG_OK;
}

static int
by_name(const void *a, const void *b)
{
	return strcasecmp(*(char *const *)a, *(char *const *)b);
}

/* First place in the sorted names that is not before `name`. */
static size_t
lower_bound(const struct fg_archive *archive, const char *name)
{
	size_t low = 0, high = archive->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (strcasecmp(archive->sorted[middle], name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static enum fg_err
check_same(struct fg_archive *archive)
{
	char folder[FG_ENTRY_NAME_MAX + 2];

	if (archive->count == 0)
		return fg_fail(FG_EFORMAT, "the archive is empty; put the .blend and what it needs into it");
	archive->sorted = fg_alloc((archive->count + 1) * sizeof(*archive->sorted));
	memcpy(archive->sorted, archive->names, archive->count * sizeof(*archive->sorted));
	qsort(archive->sorted, archive->count, sizeof(*archive->sorted), by_name);
	for (size_t i = 0; i < archive->count; i++) {
		const char  *name = archive->sorted[i];
		const size_t len = strlen(name);
		size_t       below;

		if (i + 1 < archive->count && strcasecmp(name, archive->sorted[i + 1]) == 0)
			return refuse(name, len, "is there twice (capitals count as small letters on some workers); rename one of them");
		if (name[len - 1] == '/')
			continue;
		snprintf(folder, sizeof(folder), "%s/", name);
		below = lower_bound(archive, folder);
		if (below < archive->count && strncasecmp(archive->sorted[below], folder, len + 1) == 0)
			return refuse(name, len, "is a file and a folder at once; rename one of them");
	}
	return FG_OK;
}

/* ---- the data */

static enum fg_err
unreadable(const char *name, const char *why)
{
	char text[120];

	return fg_fail(FG_EFORMAT, "the archive's entry \"%s\" can't be read (%s); zip the folder again", shown(text, name, strlen(name)), why);
}

/* Inflate an entry into `fd` (-1: only check it), at most `max` bytes; libzip checks the CRC and the size at its end. */
static enum fg_err
inflate_entry(int64_t *bytes, struct fg_archive *archive, size_t index, int fd, int64_t max)
{
	static _Thread_local char piece[PIECE];
	zip_file_t *file = zip_fopen_index(archive->zip, index, 0);
	zip_int64_t got;
	enum fg_err err = FG_OK;

	*bytes = 0;
	if (file == NULL)
		return unreadable(archive->names[index], zip_strerror(archive->zip));
	while (err == FG_OK && (got = zip_fread(file, piece, sizeof(piece))) != 0) {
		if (got < 0)
			err = unreadable(archive->names[index], zip_file_strerror(file));
		else if ((*bytes += got) > max)
			err = FG_ETOOBIG;
		else if (fd >= 0)
			err = fg_fs_write(fd, piece, (size_t)got);
		fg_tick_tell(&archive->entry_tick, (double)*bytes, archive->entry_size);
	}
	zip_fclose(file);
	return err;
}

static enum fg_err
too_big(const struct fg_archive *archive)
{
	if (archive->inflated > archive->limits.inflated_bytes)
		return fg_fail(FG_ETOOBIG, "the archive inflates to more than %" PRId64 " bytes; leave out what the scene doesn't need", archive->limits.inflated_bytes);
	if (archive->inflated > RATIO_FREE && archive->inflated / archive->limits.ratio > archive->packed)
		return fg_fail(FG_ETOOBIG, "the archive inflates to more than %" PRId64 " times its size; store large empty files in another way", archive->limits.ratio);
	return FG_OK;
}

/* What is remembered of a file whose data was found good: true of these bytes, under these limits. */
static const char remembered[] = "user.farmgate.inflates";

static void
make_note(char out[160], const struct fg_archive *archive, const struct stat *st)
{
	snprintf(out, 160, "1 %jd %jd.%09ld %" PRId64 " %" PRId64 " %" PRId64, (intmax_t)st->st_size, (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
	         archive->limits.entries, archive->limits.inflated_bytes, archive->limits.ratio);
}

static bool
is_remembered(int fd, const char *note)
{
	char          there[160];
	const ssize_t len = fgetxattr(fd, remembered, there, sizeof(there));

	return len > 0 && (size_t)len == strlen(note) && memcmp(there, note, (size_t)len) == 0;
}

/* Its part of the way is what it takes of the file. */
static void
begin_entry(struct fg_archive *archive, size_t index, double *packed)
{
	zip_stat_t st;

	if (archive->limits.tick == NULL || zip_stat_index(archive->zip, index, 0, &st) != 0 || archive->packed <= 0)
		return;
	archive->entry_tick = fg_tick_part(archive->limits.tick, (int)(1000 * *packed / (double)archive->packed), (int)(1000 * (*packed + (double)st.comp_size) / (double)archive->packed));
	archive->entry_size = (double)st.size;
	*packed += (double)st.comp_size;
}

/* `known`: only what is quick to see. */
static enum fg_err
check_data(struct fg_archive *archive, bool known)
{
	enum fg_err err = FG_OK;
	double      packed = 0;

	if (zip_get_num_entries(archive->zip, 0) != (zip_int64_t)archive->count)
		return fg_fail(FG_EFORMAT, "the archive has two directories that differ; zip the folder again");
	for (size_t i = 0; err == FG_OK && i < archive->count; i++) {
		const char *name = zip_get_name(archive->zip, i, ZIP_FL_ENC_RAW);
		int64_t     room = archive->limits.inflated_bytes - archive->inflated, bytes;

		if (name == NULL || strcmp(name, archive->names[i]) != 0)
			return refuse(archive->names[i], strlen(archive->names[i]), "has two names; zip the folder again");
		if (known)
			continue;
		if (room > RATIO_FREE + archive->packed * archive->limits.ratio - archive->inflated)
			room = RATIO_FREE + archive->packed * archive->limits.ratio - archive->inflated;
		begin_entry(archive, i, &packed);
		err = inflate_entry(&bytes, archive, i, -1, room < 0 ? 0 : room);
		archive->inflated += bytes;
		if (err == FG_ETOOBIG && too_big(archive) == FG_OK)
			err = fg_fail(FG_ETOOBIG, "the archive inflates to more than it may; leave out what the scene doesn't need");
	}
	archive->entry_tick = (struct fg_tick){ .told = NULL };
	return err;
}

static enum fg_err
open_zip(struct fg_archive *archive, int fd)
{
	int         code = 0;
	const int   own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	zip_error_t why;

	if (own < 0)
		return fg_fail(FG_EIO, "could not open the archive: %s", strerror(errno));
	if ((archive->zip = zip_fdopen(own, ZIP_RDONLY, &code)) != NULL)
		return FG_OK;
	close(own);
	zip_error_init_with_code(&why, code);
	fg_fail(FG_EFORMAT, "this is not a whole zip archive (%s); make it again and send it again", zip_error_strerror(&why));
	zip_error_fini(&why);
	return FG_EFORMAT;
}

static void
set_limits(struct fg_archive_limits *to, const struct fg_archive_limits *from)
{
	*to = from != NULL ? *from : (struct fg_archive_limits){ 0 };
	if (to->entries <= 0)
		to->entries = ENTRIES;
	if (to->inflated_bytes <= 0)
		to->inflated_bytes = INFLATED_BYTES;
	if (to->ratio <= 0)
		to->ratio = RATIO;
}

enum fg_err
fg_archive_check(struct fg_archive **out, const char *zip_path, const struct fg_archive_limits *limits)
{
	struct fg_archive *archive = fg_alloc(sizeof(*archive));
	const int          fd = open(zip_path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat        st;
	char               note[160] = "";
	bool               known = false;
	enum fg_err        err;

	*out = NULL;
	memset(archive, 0, sizeof(*archive));
	set_limits(&archive->limits, limits);
	if (fd < 0 || fstat(fd, &st) != 0) {
		err = fg_fail(FG_EIO, "could not open the archive: %s", strerror(errno));
		goto out;
	}
	archive->packed = st.st_size;
	if (archive->limits.remember) {
		make_note(note, archive, &st);
		known = is_remembered(fd, note);
	}
	if ((err = fg_zipdir_walk(fd, archive->limits.entries, take_entry, archive)) != FG_OK || (err = check_same(archive)) != FG_OK ||
	    (err = open_zip(archive, fd)) != FG_OK || (err = check_data(archive, known)) != FG_OK)
		goto out;
	if (archive->limits.remember && !known)
		(void)fsetxattr(fd, remembered, note, strlen(note), 0); /* a file system without them: found out again each time */
	*out = archive;
	archive = NULL;
out:
	if (fd >= 0)
		close(fd);
	fg_archive_close(archive);
	return err;
}

void
fg_archive_close(struct fg_archive *archive)
{
	if (archive == NULL)
		return;
	if (archive->zip != NULL)
		zip_discard(archive->zip);
	for (size_t i = 0; i < archive->count; i++)
		free(archive->names[i]);
	free(archive->names);
	free(archive->sorted);
	free(archive);
}

/* ---- questions */

size_t
fg_archive_count(const struct fg_archive *archive)
{
	return archive->count;
}

const char *
fg_archive_name(const struct fg_archive *archive, size_t index)
{
	return index < archive->count ? archive->names[index] : NULL;
}

int64_t
fg_archive_inflated(const struct fg_archive *archive)
{
	return archive->inflated;
}

bool
fg_archive_needs_repack(const struct fg_archive *archive)
{
	return archive->repack;
}

/* A scene, and not what a Mac keeps beside it. */
static bool
is_blend(const char *name)
{
	const size_t len = strlen(name);
	const char  *slash = strrchr(name, '/'), *base = slash != NULL ? slash + 1 : name;

	return len > 6 && strcasecmp(name + len - 6, ".blend") == 0 && strncmp(base, "._", 2) != 0 && strncmp(name, "__MACOSX/", 9) != 0;
}

const char *
fg_archive_blend(const struct fg_archive *archive, size_t index)
{
	for (size_t i = 0; i < archive->count; i++)
		if (is_blend(archive->names[i]) && index-- == 0)
			return archive->names[i];
	return NULL;
}

const char *
fg_archive_has(const struct fg_archive *archive, const char *path)
{
	const size_t len = strlen(path), at = lower_bound(archive, path);

	if (len == 0 || path[len - 1] == '/' || at == archive->count || strcasecmp(archive->sorted[at], path) != 0)
		return NULL;
	return archive->sorted[at];
}

/* The first entry below a folder, whose name ends in a slash. */
static const char *
first_below(const struct fg_archive *archive, const char *folder)
{
	const size_t len = strlen(folder);

	for (size_t at = lower_bound(archive, folder); at < archive->count && strncasecmp(archive->sorted[at], folder, len) == 0; at++)
		if (archive->sorted[at][len] != '\0')
			return archive->sorted[at];
	return NULL;
}

const char *
fg_archive_has_beside(const struct fg_archive *archive, const char *blend, const char *path)
{
	const char  *slash = strrchr(blend, '/'), *star = strchr(path, '*');
	const char  *name = slash != NULL ? slash + 1 : blend;
	const size_t len = strlen(name);
	char         whole[FG_ENTRY_NAME_MAX + 1], named[FG_ENTRY_NAME_MAX + 1];

	if ((path[0] != '/' && path[0] != '\\') || path[1] != path[0])
		return NULL;
	if (star != NULL) {
		if (snprintf(named, sizeof(named), "%.*s%.*s%s", (int)(star - path), path, (int)(len > 6 ? len - 6 : len), name, star + 1) >= (int)sizeof(named))
			return NULL;
		path = named;
	}
	if (!fg_entry_name_join(whole, blend, slash != NULL ? (size_t)(slash + 1 - blend) : 0, path + 2))
		return NULL;
	return whole[0] != '\0' && whole[strlen(whole) - 1] == '/' ? first_below(archive, whole) : fg_archive_has(archive, whole);
}

/* ---- out of it, and into one */

enum fg_err
fg_archive_extract_one(struct fg_archive *archive, const char *entry, int out_fd, int64_t max_bytes)
{
	for (size_t i = 0; i < archive->count; i++) {
		int64_t     bytes;
		enum fg_err err;

		if (strcmp(archive->names[i], entry) != 0)
			continue;
		err = inflate_entry(&bytes, archive, i, out_fd, max_bytes);
		if (err == FG_ETOOBIG)
			return fg_fail(FG_ETOOBIG, "%s has more than %" PRId64 " bytes", entry, max_bytes);
		return err;
	}
	return fg_fail(FG_ENOTFOUND, "the archive has no entry %s", entry);
}

/* An entry as it is in its own archive; libzip gave this another name in 1.10. */
static zip_source_t *
source_of(zip_t *out, zip_t *archive, zip_uint64_t entry)
{
#if LIBZIP_VERSION_MAJOR > 1 || LIBZIP_VERSION_MINOR >= 10
	return zip_source_zip_file(out, archive, entry, 0, 0, -1, NULL);
#else
	return zip_source_zip(out, archive, entry, 0, 0, -1);
#endif
}

enum fg_err
fg_archive_repack(const char *zip_out, struct fg_archive *archive, const struct fg_tick *tick)
{
	struct fg_zipout out = { 0 };
	enum fg_err      err = fg_zipout_open(&out, zip_out);

	if (tick != NULL)
		out.tick = *tick;
	for (size_t i = 0; err == FG_OK && i < archive->count; i++)
		if (archive->names[i][strlen(archive->names[i]) - 1] != '/')
			err = fg_zipout_source(&out, archive->names[i], source_of(out.zip, archive->zip, i), 0644, 6);
	if (err == FG_OK)
		err = fg_zipout_close(&out);
	fg_zipout_discard(&out);
	return err;
}

/* Plain enough for any worker's file system and for a command line that is split at blanks. */
static bool
plain_blend_name(const char *name)
{
	const size_t len = strlen(name);

	return len > 6 && len < FG_ARCHIVE_NAME / 2 && name[0] != '.' && name[0] != '-' && strcmp(name + len - 6, ".blend") == 0 &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

enum fg_err
fg_archive_from_blend(char entry[FG_ARCHIVE_NAME], const char *zip_out, int blend_fd, const char *name, const struct fg_tick *tick)
{
	struct fg_zipout out = { 0 };
	char             magic[7] = "";
	enum fg_err      err;

	snprintf(entry, FG_ARCHIVE_NAME, "%s", name != NULL && plain_blend_name(name) ? name : "scene.blend");
	if (pread(blend_fd, magic, sizeof(magic), 0) < 0)
		return fg_fail(FG_EIO, "could not read %s: %s", entry, strerror(errno));
	if ((err = fg_zipout_open(&out, zip_out)) == FG_OK && tick != NULL)
		out.tick = *tick;
	if (err == FG_OK &&
	    (err = fg_zipout_fd(&out, entry, blend_fd, 0644, memcmp(magic, "BLENDER", 7) == 0 ? 1 : 0)) == FG_OK) /* others are compressed already */
		err = fg_zipout_close(&out);
	fg_zipout_discard(&out);
	return err;
}
