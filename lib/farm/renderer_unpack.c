#include "farm/renderer_unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "farm/entry_name.h"

enum { FILES_MAX = 100000, LINKS_DEEP = 8, PIECE = 1 << 18 };
#define INFLATED_MAX (INT64_C(16) << 30)

static enum fg_err
refuse(const char *name, const char *why)
{
	return fg_fail(FG_EFORMAT, "the archive's entry \"%.200s\" %s", name, why);
}

static enum fg_err
unreadable(struct archive *in)
{
	return fg_fail(FG_EFORMAT, "the archive can't be read (%s); download it again", archive_error_string(in));
}

/* ---- reading */

static enum fg_err
save_contents(struct fg_unpacked *out, struct archive *in, size_t number)
{
	static _Thread_local char piece[PIECE];
	char        path[PATH_MAX];
	enum fg_err err = FG_OK;
	la_ssize_t  got;
	int         fd;

	if (snprintf(path, sizeof(path), "%s/%zu", out->folder, number) >= (int)sizeof(path))
		return fg_fail(FG_EINVAL, "the path %s is too long", out->folder);
	if ((fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
		return fg_fail(errno == ENOSPC ? FG_ENOSPACE : FG_EIO, "could not create %s: %s", path, strerror(errno));
	while (err == FG_OK && (got = archive_read_data(in, piece, sizeof(piece))) != 0) {
		if (got < 0)
			err = unreadable(in);
		else if ((out->inflated_bytes += got) > INFLATED_MAX)
			err = fg_fail(FG_ETOOBIG, "the archive inflates to more than %" PRId64 " GiB", INFLATED_MAX >> 30);
		else
			err = fg_fs_write(fd, piece, (size_t)got);
		out->files[number].size += got > 0 ? got : 0;
		fg_tick_tell(&out->tick, (double)archive_filter_bytes(in, -1), (double)out->archive_bytes);
	}
	close(fd);
	return err;
}

/* A link's target from the archive's top: of a symbolic one it counts from the link's folder, of a hard one from the top. */
static enum fg_err
link_target(char **out, const char *name, const char *hard, const char *symbolic)
{
	const char *slash = strrchr(name, '/');
	char        target[FG_ENTRY_NAME_MAX + 1];
	bool        inside;

	if (hard != NULL)
		inside = hard[0] != '/' && fg_entry_name_join(target, "", 0, hard);
	else
		inside = symbolic[0] != '/' && fg_entry_name_join(target, name, slash != NULL ? (size_t)(slash + 1 - name) : 0, symbolic);
	if (!inside)
		return refuse(name, "is a link that leads out of the archive; is this an official Blender archive?");
	*out = fg_strdup(target);
	return FG_OK;
}

static struct fg_unpacked_file *
append(struct fg_unpacked *out, const char *name)
{
	if (out->count == out->room) {
		out->room = out->room * 2 + 64;
		out->files = fg_realloc(out->files, out->room * sizeof(*out->files));
	}
	out->files[out->count] = (struct fg_unpacked_file){ .name = fg_strdup(name), .number = out->count };
	return &out->files[out->count++];
}

static enum fg_err
take_entry(struct fg_unpacked *out, struct archive *in, struct archive_entry *entry)
{
	const char              *name = archive_entry_pathname_utf8(entry) != NULL ? archive_entry_pathname_utf8(entry) : archive_entry_pathname(entry), *why;
	const char              *hard = archive_entry_hardlink_utf8(entry), *symbolic = archive_entry_symlink_utf8(entry);
	const mode_t             kind = archive_entry_filetype(entry);
	struct fg_unpacked_file *file;

	if (name == NULL)
		return fg_fail(FG_EFORMAT, "an entry of the archive has no name; download it again");
	while (strncmp(name, "./", 2) == 0)
		name += 2;
	if (++out->entries > 2 * FILES_MAX)
		return fg_fail(FG_ETOOBIG, "the archive has more than %d files and folders", 2 * FILES_MAX);
	if (kind == AE_IFDIR)
		return FG_OK;
	if ((why = fg_entry_name_bad(name, strlen(name))) != NULL || archive_entry_is_encrypted(entry))
		return refuse(name, why != NULL ? why : "is encrypted");
	if (hard == NULL && kind != AE_IFREG && (kind != AE_IFLNK || symbolic == NULL))
		return refuse(name, "is neither file nor folder nor link; is this an official Blender archive?");
	if (out->count >= FILES_MAX)
		return fg_fail(FG_ETOOBIG, "the archive has more than %d files", FILES_MAX);
	file = append(out, name);
	file->executable = (archive_entry_perm(entry) & 0111) != 0;
	if (hard != NULL || kind == AE_IFLNK)
		return link_target(&file->target, name, hard, symbolic);
	return save_contents(out, in, file->number);
}

static enum fg_err
read_all(struct fg_unpacked *out, struct archive *in)
{
	struct archive_entry *entry;
	enum fg_err           err = FG_OK;
	int                   next = ARCHIVE_OK;

	while (err == FG_OK && (next = archive_read_next_header(in, &entry)) == ARCHIVE_OK)
		err = take_entry(out, in, entry);
	return err == FG_OK && next != ARCHIVE_EOF ? unreadable(in) : err;
}

/* libarchive's own decompressors only: "all" would start programs. */
static enum fg_err
open_archive(struct archive **out, const char *path)
{
	struct archive *in = *out = archive_read_new();

	if (in == NULL)
		return fg_fail(FG_EIO, "libarchive has no memory");
	archive_read_support_filter_xz(in);
	archive_read_support_filter_gzip(in);
	archive_read_support_filter_bzip2(in);
	archive_read_support_filter_zstd(in);
	archive_read_support_format_tar(in);
	archive_read_support_format_zip(in);
	if (archive_read_open_filename(in, path, PIECE) == ARCHIVE_OK)
		return FG_OK;
	return fg_fail(archive_errno(in) == ENOENT ? FG_ENOTFOUND : FG_EUNSUPPORTED, "%s can't be read as a .tar.xz or .zip: %s", path, archive_error_string(in));
}

/* ---- links */

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct fg_unpacked_file *)a)->name, ((const struct fg_unpacked_file *)b)->name);
}

static size_t
lower_bound(const struct fg_unpacked *in, size_t count, const char *name)
{
	size_t low = 0, high = count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (strcmp(in->files[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The file that a path means through at most LINKS_DEEP links; NULL for none. */
static const struct fg_unpacked_file *
resolve(const struct fg_unpacked *in, size_t sorted, const char *path)
{
	for (int deep = 0; deep < LINKS_DEEP; deep++) {
		const size_t at = lower_bound(in, sorted, path);

		if (at == sorted || strcmp(in->files[at].name, path) != 0)
			return NULL;
		if (in->files[at].target == NULL)
			return &in->files[at];
		path = in->files[at].target;
	}
	return NULL;
}

static void
stand_for(struct fg_unpacked_file *link, size_t file, const struct fg_unpacked *in)
{
	link->number = in->files[file].number;
	link->size = in->files[file].size;
	link->executable = in->files[file].executable;
}

/* A link to a folder: every file below it once more, under the link's name. */
static enum fg_err
copy_folder(struct fg_unpacked *out, size_t sorted, const char *link, const char *target)
{
	char         name[2 * FG_ENTRY_NAME_MAX + 2];
	const size_t len = (size_t)snprintf(name, sizeof(name), "%s/", target);
	const size_t first = lower_bound(out, sorted, name), before = out->count;

	for (size_t i = first; i < sorted && strncmp(out->files[i].name, name, len) == 0; i++) {
		const struct fg_unpacked_file *file = resolve(out, sorted, out->files[i].name);
		char                           copy[2 * FG_ENTRY_NAME_MAX + 2];

		size_t number;

		if (file == NULL || out->count >= FILES_MAX)
			return refuse(link, "is a link to a folder that can't be copied; is this an official Blender archive?");
		number = (size_t)(file - out->files); /* before the list grows, and moves */
		snprintf(copy, sizeof(copy), "%s/%s", link, out->files[i].name + len);
		stand_for(append(out, copy), number, out);
	}
	return out->count > before ? FG_OK : refuse(link, "is a link to something that the archive doesn't hold; download it again");
}

/* Sorted, every name once. */
static enum fg_err
sort_names(struct fg_unpacked *out)
{
	qsort(out->files, out->count, sizeof(*out->files), by_name);
	for (size_t i = 1; i < out->count; i++)
		if (strcmp(out->files[i - 1].name, out->files[i].name) == 0)
			return refuse(out->files[i].name, "is there twice; is this an official Blender archive?");
	return FG_OK;
}

/* A link's contents are packed once more: a small archive of links could fill the disk. */
static enum fg_err
check_size(const struct fg_unpacked *in)
{
	int64_t all = 0;

	for (size_t i = 0; i < in->count; i++)
		if ((all += in->files[i].size) > INFLATED_MAX)
			return fg_fail(FG_ETOOBIG, "the archive's files and links hold more than %" PRId64 " GiB", INFLATED_MAX >> 30);
	return FG_OK;
}

/* Links become entries of the same contents; links to folders become entries for all that is below. */
static enum fg_err
resolve_links(struct fg_unpacked *out)
{
	const size_t sorted = out->count;
	size_t       kept = 0;
	enum fg_err  err = sort_names(out);

	for (size_t i = 0; err == FG_OK && i < sorted; i++) {
		const struct fg_unpacked_file *file = resolve(out, sorted, out->files[i].name);

		if (file != NULL)
			stand_for(&out->files[i], (size_t)(file - out->files), out);
		else if ((err = copy_folder(out, sorted, out->files[i].name, out->files[i].target)) == FG_OK)
			out->files[i].gone = true;
	}
	for (size_t i = 0; i < out->count; i++) {
		free(out->files[i].target);
		out->files[i].target = NULL;
		if (out->files[i].gone)
			free(out->files[i].name);
		else
			out->files[kept++] = out->files[i];
	}
	out->count = kept;
	if (err == FG_OK)
		err = check_size(out);
	return err != FG_OK ? err : sort_names(out);
}

enum fg_err
fg_unpack(struct fg_unpacked *out, const char *archive, const char *folder, const struct fg_tick *tick)
{
	struct archive *in = NULL;
	enum fg_err     err;

	*out = (struct fg_unpacked){ .folder = folder, .archive_bytes = fg_fs_size(archive), .tick = *tick };
	if ((err = open_archive(&in, archive)) == FG_OK && (err = read_all(out, in)) == FG_OK)
		err = resolve_links(out);
	if (in != NULL)
		archive_read_free(in);
	return err;
}

void
fg_unpacked_free(struct fg_unpacked *unpacked)
{
	for (size_t i = 0; i < unpacked->count; i++) {
		free(unpacked->files[i].name);
		free(unpacked->files[i].target);
	}
	free(unpacked->files);
	*unpacked = (struct fg_unpacked){ 0 };
}
