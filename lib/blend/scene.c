#include "blend/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "blend/container.h"
#include "blend/dna.h"

/* What is kept of a file while it is read: the blocks that say something of scenes, cameras and files, and the catalogue. The catalogue comes last;
 * where there are too many objects to be kept until then, the file is read once more with it, and only cameras stay. */
enum { KEEP_MAX = 128 << 20, BLOCK_MAX = 16 << 20, DATA_MAX = 65536, CACHE_MAX = 8192, BLOCKS_MAX = 1 << 18, CHILDREN_MAX = 4096, THUMBNAIL_MAX = 1024 };
enum { R_DOSEQ = 1, R_DOCOMP = 1 << 6, OB_CAMERA = 11, IDP_INT = 1, IDP_GROUP = 6, IDP_BOOLEAN = 10, PTCACHE_DISK = 1 << 6, PTCACHE_EXTERNAL = 1 << 9 };

struct head {
	char     code[5];
	uint64_t len, old, count;
	uint32_t sdna;
};

struct reader {
	struct fg_container *file;
	struct fg_blend     *blend;
	struct fg_dna       *dna;
	struct fg_block     *blocks, *by_address;
	int                  nblocks, room, pointer_size, version, owner;
	size_t               kept;
	bool                 swap, large; /**< large: block heads of Blender 5 */
	bool                 full;        /**< more than can be kept without the catalogue: from here on, look for that alone */
	char                 owner_code[5];
	uint64_t             current;     /**< address of the active scene */
	int                  fluid;       /**< number of the last ID block that is a fluid's domain: its other caches are old ones */
	bool                 beside;      /**< a cache in the folder beside the .blend was told */
};

static enum fg_err
no_blend(void)
{
	return fg_fail(FG_EFORMAT, "this is not a .blend file");
}

/* `BLENDER-v304`, or from 5.0 `BLENDER17-01v0500`. */
static enum fg_err
read_header(struct reader *r)
{
	char        head[17];
	enum fg_err err;

	if ((err = fg_container_read(r->file, head, 12)) != FG_OK)
		return err == FG_EFORMAT ? no_blend() : err;
	if (memcmp(head, "BLENDER", 7) != 0)
		return no_blend();
	if (head[7] == '_' || head[7] == '-') {
		r->pointer_size = head[7] == '_' ? 4 : 8;
		r->swap = head[8] == 'V';
		if (head[8] != 'v' && head[8] != 'V')
			return no_blend();
		r->version = (head[9] - '0') * 100 + (head[10] - '0') * 10 + head[11] - '0';
	} else {
		if ((err = fg_container_read(r->file, head + 12, 5)) != FG_OK)
			return err;
		if (memcmp(head + 7, "17-01v", 6) != 0)
			return fg_fail(FG_EUNSUPPORTED, "this .blend is of a newer kind than this portal can read");
		r->pointer_size = 8;
		r->large = true;
		r->version = (head[13] - '0') * 1000 + (head[14] - '0') * 100 + (head[15] - '0') * 10 + head[16] - '0';
	}
	if (r->version < 200 || r->version > 9999)
		return no_blend();
	snprintf(r->blend->blender, sizeof(r->blend->blender), r->version < 300 ? "%d.%02d" : "%d.%d", r->version / 100, r->version % 100);
	return FG_OK;
}

static enum fg_err
read_head(struct head *out, struct reader *r)
{
	unsigned char bytes[32];
	const size_t  size = r->large ? 32 : r->pointer_size == 8 ? 24 : 20;
	enum fg_err   err = fg_container_read(r->file, bytes, size);

	if (err != FG_OK)
		return err;
	memcpy(out->code, bytes, 4);
	out->code[4] = '\0';
	if (r->large) {
		out->sdna = (uint32_t)fg_dna_number(bytes + 4, 4, r->swap);
		out->old = fg_dna_number(bytes + 8, 8, r->swap);
		out->len = fg_dna_number(bytes + 16, 8, r->swap);
		out->count = fg_dna_number(bytes + 24, 8, r->swap);
		return FG_OK;
	}
	out->len = fg_dna_number(bytes + 4, 4, r->swap);
	out->old = fg_dna_number(bytes + 8, r->pointer_size, r->swap);
	out->sdna = (uint32_t)fg_dna_number(bytes + 8 + r->pointer_size, 4, r->swap);
	out->count = fg_dna_number(bytes + 12 + r->pointer_size, 4, r->swap);
	return FG_OK;
}

static bool
wanted(const struct reader *r, const struct head *head)
{
	static const char *const codes[] = { "SC", "OB", "IM", "LI", "SO", "VF", "MC", "CF", "VO", "ID", "GLOB", "TEST", "DNA1" };

	if (r->full)
		return strcmp(head->code, "DNA1") == 0;
	if (strcmp(head->code, "DATA") == 0)
		return (strcmp(r->owner_code, "OB") == 0 && head->len <= CACHE_MAX) ||
		       ((strcmp(r->owner_code, "SC") == 0 || (r->version < 400 && strcmp(r->owner_code, "IM") == 0)) && head->len <= DATA_MAX);
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (strcmp(codes[i], head->code) == 0)
			return true;
	return false;
}

static void
forget_blocks(struct reader *r)
{
	for (int i = 0; i < r->nblocks; i++)
		free((void *)r->blocks[i].bytes);
	r->nblocks = 0;
	r->kept = 0;
}

/* With the catalogue at hand: of objects the cameras, of data what scenes are looked up in and where caches lie. */
static bool
useful(const struct reader *r, const struct fg_block *block)
{
	static const char *const data[] = { "IDProperty", "Editing", "ImagePackedFile", "FluidDomainSettings", "PointCache" };
	const bool               object = strcmp(block->code, "OB") == 0;
	struct fg_spot           root;

	if (r->dna == NULL || (!object && strcmp(block->code, "DATA") != 0))
		return true;
	if (!fg_dna_root(&root, r->dna, block))
		return false;
	if (object)
		return fg_dna_int(r->dna, &root, "type", -1) == OB_CAMERA;
	for (size_t i = 0; i < sizeof(data) / sizeof(*data); i++)
		if (strcmp(fg_dna_type(r->dna, &root), data[i]) == 0)
			return true;
	return false;
}

static enum fg_err
keep(struct reader *r, const struct head *head)
{
	struct fg_block *block;
	unsigned char   *bytes;
	enum fg_err      err;

	if (head->len <= BLOCK_MAX && r->dna == NULL && !r->full && (r->kept + head->len > KEEP_MAX || r->nblocks >= BLOCKS_MAX)) {
		forget_blocks(r);
		r->full = true;
		if (strcmp(head->code, "DNA1") != 0)
			return fg_container_read(r->file, NULL, head->len);
	}
	if (head->len > BLOCK_MAX || r->kept + head->len > KEEP_MAX || r->nblocks >= BLOCKS_MAX)
		return fg_fail(FG_ETOOBIG, "the .blend holds more scenes, cameras or images than this portal reads");
	if (r->nblocks == r->room) {
		r->room = r->room > 0 ? r->room * 2 : 256;
		r->blocks = fg_realloc(r->blocks, sizeof(*r->blocks) * (size_t)r->room);
	}
	bytes = fg_alloc(head->len);
	block = &r->blocks[r->nblocks++];
	*block = (struct fg_block){ .sdna = head->sdna, .old = head->old, .count = head->count, .len = head->len, .bytes = bytes, .scene = r->owner };
	memcpy(block->code, head->code, sizeof(block->code));
	r->kept += head->len;
	if ((err = fg_container_read(r->file, bytes, head->len)) == FG_OK && !useful(r, block)) {
		free(bytes);
		r->nblocks--;
		r->kept -= head->len;
	}
	return err;
}

static enum fg_err
read_blocks(struct reader *r)
{
	struct head head;
	enum fg_err err;

	while ((err = read_head(&head, r)) == FG_OK && strcmp(head.code, "ENDB") != 0) {
		if (head.len > INT64_MAX / 2)
			return fg_fail(FG_EFORMAT, "the .blend is damaged");
		if (strcmp(head.code, "DATA") != 0) {
			memcpy(r->owner_code, head.code, sizeof(r->owner_code));
			r->owner++;
		}
		if (head.len > 0 && (err = wanted(r, &head) ? keep(r, &head) : fg_container_read(r->file, NULL, head.len)) != FG_OK)
			return err;
	}
	return err;
}

static int
by_old(const void *left, const void *right)
{
	const struct fg_block *a = left, *b = right;

	return a->old < b->old ? -1 : a->old > b->old;
}

static const struct fg_block *
at_address(const struct reader *r, uint64_t address)
{
	const struct fg_block key = { .old = address };

	return address == 0 ? NULL : bsearch(&key, r->by_address, (size_t)r->nblocks, sizeof(key), by_old);
}

static const struct fg_block *
first_of(const struct reader *r, const char *code)
{
	for (int i = 0; i < r->nblocks; i++)
		if (strcmp(r->blocks[i].code, code) == 0)
			return &r->blocks[i];
	return NULL;
}

/* Names of IDs begin with two letters for their kind. */
static void
id_name(char *out, size_t size, const struct reader *r, const struct fg_spot *root)
{
	char           name[FG_BLEND_NAME + 4] = "";
	struct fg_spot id;

	out[0] = '\0';
	if (strcmp(fg_dna_type(r->dna, root), "ID") == 0) /* what stands for a thing of another file */
		id = *root;
	else if (!fg_dna_member(&id, r->dna, root, "id"))
		return;
	if (fg_dna_string(name, sizeof(name), r->dna, &id, "name") && strlen(name) > 2)
		snprintf(out, size, "%.*s", (int)size - 1, name + 2);
}

static const struct {
	int         type;
	const char *name;
} formats[] = {
	{ 0, "TARGA" }, { 1, "IRIS" }, { 4, "JPEG" }, { 14, "TARGA_RAW" }, { 15, "AVI_RAW" }, { 16, "AVI_JPEG" }, { 17, "PNG" }, { 20, "BMP" }, { 21, "HDR" },
	{ 22, "TIFF" }, { 23, "OPEN_EXR" }, { 24, "FFMPEG" }, { 26, "CINEON" }, { 27, "DPX" }, { 28, "OPEN_EXR_MULTILAYER" }, { 30, "JPEG2000" }, { 35, "WEBP" },
};

static void
read_format(struct fg_blend_scene *s, const struct reader *r, const struct fg_spot *render)
{
	static const struct {
		int flag, bits;
	} depths[] = { { 1, 1 }, { 2, 8 }, { 4, 10 }, { 8, 12 }, { 16, 16 }, { 32, 24 }, { 64, 32 } };
	struct fg_spot image;
	int            type = 17, depth = 0;

	if (fg_dna_member(&image, r->dna, render, "im_format")) {
		type = (int)fg_dna_int(r->dna, &image, "imtype", 17);
		depth = (int)fg_dna_int(r->dna, &image, "depth", 0);
	}
	snprintf(s->format, sizeof(s->format), "imtype %d", type);
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
		if (formats[i].type == type)
			snprintf(s->format, sizeof(s->format), "%s", formats[i].name);
	for (size_t i = 0; i < sizeof(depths) / sizeof(*depths); i++)
		if (depths[i].flag == depth)
			s->depth = depths[i].bits;
}

/* A child of a group of custom properties, by name. */
static bool
find_property(struct fg_spot *out, const struct reader *r, uint64_t group, const char *name)
{
	const struct fg_block *block = at_address(r, group);
	struct fg_spot         root, data, list;
	uint64_t               next;

	if (!fg_dna_root(&root, r->dna, block) || strcmp(fg_dna_type(r->dna, &root), "IDProperty") != 0 || fg_dna_int(r->dna, &root, "type", -1) != IDP_GROUP ||
	    !fg_dna_member(&data, r->dna, &root, "data") || !fg_dna_member(&list, r->dna, &data, "group"))
		return false;
	next = fg_dna_pointer(r->dna, &list, "first");
	for (int i = 0; i < CHILDREN_MAX && next != 0; i++) {
		char found[FG_BLEND_NAME];

		if (!fg_dna_root(out, r->dna, at_address(r, next)) || strcmp(fg_dna_type(r->dna, out), "IDProperty") != 0)
			return false;
		if (fg_dna_string(found, sizeof(found), r->dna, out, "name") && strcmp(found, name) == 0)
			return true;
		next = fg_dna_pointer(r->dna, out, "next");
	}
	return false;
}

static bool
property_int(int64_t *out, const struct reader *r, uint64_t group, const char *name)
{
	struct fg_spot property, data;
	int64_t        type;

	if (!find_property(&property, r, group, name) || !fg_dna_member(&data, r->dna, &property, "data"))
		return false;
	type = fg_dna_int(r->dna, &property, "type", -1);
	if (type != IDP_INT && type != IDP_BOOLEAN)
		return false;
	*out = fg_dna_int(r->dna, &data, "val", 0);
	if (type == IDP_BOOLEAN)
		*out = (*out & 0xff) != 0;
	return true;
}

/* Cycles keeps its settings as custom properties of the scene; only what was touched is there. */
static void
read_cycles(struct fg_blend_scene *s, const struct reader *r, const struct fg_spot *root)
{
	static const char *const homes[] = { "system_properties", "properties" }; /* the first from 5.0 */
	const bool               modern = r->version >= 300;
	int64_t                  samples = modern ? 4096 : 128, denoise = modern;
	struct fg_spot           id, cycles;

	for (size_t i = 0; i < sizeof(homes) / sizeof(*homes); i++)
		if (fg_dna_member(&id, r->dna, root, "id") && find_property(&cycles, r, fg_dna_pointer(r->dna, &id, homes[i]), "cycles")) {
			property_int(&samples, r, cycles.block->old, "samples");
			property_int(&denoise, r, cycles.block->old, "use_denoising");
			break;
		}
	s->samples = (int)samples;
	s->denoise = denoise != 0;
}

static void
read_engine(struct fg_blend_scene *s, const struct reader *r, const struct fg_spot *root, const struct fg_spot *render)
{
	struct fg_spot eevee;

	fg_dna_string(s->engine, sizeof(s->engine), r->dna, render, "engine");
	if (strcmp(s->engine, "CYCLES") == 0)
		read_cycles(s, r, root);
	else if (strncmp(s->engine, "BLENDER_EEVEE", 13) == 0 && fg_dna_member(&eevee, r->dna, root, "eevee"))
		s->samples = (int)fg_dna_int(r->dna, &eevee, "taa_render_samples", 0);
}

static void
read_nodes(struct fg_blend_scene *s, const struct reader *r, const struct fg_spot *root, const struct fg_spot *render)
{
	const int64_t          mode = fg_dna_int(r->dna, render, "scemode", 0);
	const struct fg_block *editing = at_address(r, fg_dna_pointer(r->dna, root, "ed"));
	struct fg_spot         ed, list;

	s->compositing = (mode & R_DOCOMP) != 0 &&
	                 ((fg_dna_int(r->dna, root, "use_nodes", 0) != 0 && fg_dna_pointer(r->dna, root, "nodetree") != 0) ||
	                  fg_dna_pointer(r->dna, root, "compositing_node_group") != 0);
	s->sequencer = (mode & R_DOSEQ) != 0 && fg_dna_root(&ed, r->dna, editing) && fg_dna_member(&list, r->dna, &ed, "seqbase") &&
	               fg_dna_pointer(r->dna, &list, "first") != 0;
}

static void
read_scene(struct reader *r, const struct fg_block *block)
{
	struct fg_blend_scene *s = &r->blend->scenes[r->blend->nscenes];
	const struct fg_block *camera;
	struct fg_spot         root, render, object;

	if (r->blend->nscenes >= FG_BLEND_SCENES || !fg_dna_root(&root, r->dna, block) || strcmp(fg_dna_type(r->dna, &root), "Scene") != 0 ||
	    !fg_dna_member(&render, r->dna, &root, "r"))
		return;
	r->blend->nscenes++;
	id_name(s->name, sizeof(s->name), r, &root);
	s->frame_start = (int)fg_dna_int(r->dna, &render, "sfra", 1);
	s->frame_end = (int)fg_dna_int(r->dna, &render, "efra", 1);
	s->frame_step = (int)fg_dna_int(r->dna, &render, "frame_step", 1);
	s->width = (int)fg_dna_int(r->dna, &render, "xsch", 0);
	s->height = (int)fg_dna_int(r->dna, &render, "ysch", 0);
	s->percent = (int)fg_dna_int(r->dna, &render, "size", 100);
	s->fps = (int)fg_dna_int(r->dna, &render, "frs_sec", 24);
	s->fps_base = fg_dna_float(r->dna, &render, "frs_sec_base", 1);
	camera = at_address(r, fg_dna_pointer(r->dna, &root, "camera"));
	if (fg_dna_root(&object, r->dna, camera))
		id_name(s->camera, sizeof(s->camera), r, &object);
	read_format(s, r, &render);
	read_engine(s, r, &root, &render);
	read_nodes(s, r, &root, &render);
	if (block->old == r->current)
		memcpy(r->blend->active, s->name, sizeof(s->name));
}

static void
read_camera(struct reader *r, const struct fg_block *block)
{
	struct fg_blend *b = r->blend;
	struct fg_spot   root;

	if (b->ncameras < FG_BLEND_CAMERAS && fg_dna_root(&root, r->dna, block) && fg_dna_int(r->dna, &root, "type", -1) == OB_CAMERA)
		id_name(b->cameras[b->ncameras++], FG_BLEND_NAME, r, &root);
}

static bool
packed(const struct reader *r, const struct fg_spot *root)
{
	struct fg_spot list;

	return fg_dna_pointer(r->dna, root, "packedfile") != 0 ||
	       (fg_dna_member(&list, r->dna, root, "packedfiles") && !list.pointer && fg_dna_pointer(r->dna, &list, "first") != 0);
}

static void
read_file(struct reader *r, const struct fg_block *block, const char *kind)
{
	struct fg_blend      *b = r->blend;
	struct fg_blend_file *file = &b->files[b->nfiles];
	struct fg_spot        root;
	int64_t               source;

	if (b->nfiles >= FG_BLEND_FILES || !fg_dna_root(&root, r->dna, block) || packed(r, &root))
		return;
	if (!fg_dna_string(file->path, sizeof(file->path), r->dna, &root, "filepath") && !fg_dna_string(file->path, sizeof(file->path), r->dna, &root, "name"))
		return;
	source = fg_dna_int(r->dna, &root, "source", 1);
	if (file->path[0] == '\0' || file->path[0] == '<' || (strcmp(kind, "image") == 0 && (source == 4 || source == 5)))
		return; /* built in, generated, or a render result */
	snprintf(file->kind, sizeof(file->kind), "%s", kind);
	b->nfiles++;
}

static void
add_folder(struct reader *r, const char *path)
{
	struct fg_blend      *b = r->blend;
	struct fg_blend_file *file = &b->files[b->nfiles];
	const size_t          len = strlen(path);

	if (b->nfiles >= FG_BLEND_FILES || len == 0)
		return;
	snprintf(file->path, sizeof(file->path), "%.*s%s", FG_BLEND_PATH - 2, path, path[len - 1] == '/' || path[len - 1] == '\\' ? "" : "/");
	snprintf(file->kind, sizeof(file->kind), "cache");
	b->nfiles++;
}

static void
read_cache(struct reader *r, const struct fg_block *block)
{
	char           path[FG_BLEND_PATH];
	struct fg_spot root;
	int64_t        flag;

	if (!fg_dna_root(&root, r->dna, block))
		return;
	if (strcmp(fg_dna_type(r->dna, &root), "FluidDomainSettings") == 0) {
		r->fluid = block->scene;
		if (fg_dna_string(path, sizeof(path), r->dna, &root, "cache_directory"))
			add_folder(r, path);
	} else if (strcmp(fg_dna_type(r->dna, &root), "PointCache") == 0 && block->scene != r->fluid) {
		flag = fg_dna_int(r->dna, &root, "flag", 0);
		if ((flag & PTCACHE_EXTERNAL) != 0 && fg_dna_string(path, sizeof(path), r->dna, &root, "path"))
			add_folder(r, path);
		else if ((flag & PTCACHE_DISK) != 0 && !r->beside) {
			add_folder(r, "//blendcache_*/"); /* Blender names it after the file as it is called when it is opened */
			r->beside = true;
		}
	}
}

static void
read_thumbnail(struct reader *r)
{
	const struct fg_block *block = first_of(r, "TEST");
	uint64_t               width, height;

	if (block == NULL || block->len < 8)
		return;
	width = fg_dna_number(block->bytes, 4, r->swap);
	height = fg_dna_number(block->bytes + 4, 4, r->swap);
	if (width < 1 || height < 1 || width > THUMBNAIL_MAX || height > THUMBNAIL_MAX || block->len - 8 < width * height * 4)
		return;
	r->blend->thumbnail = fg_alloc(width * height * 4);
	memcpy(r->blend->thumbnail, block->bytes + 8, width * height * 4);
	r->blend->thumbnail_width = (int)width;
	r->blend->thumbnail_height = (int)height;
}

static void
understand(struct reader *r)
{
	static const struct {
		const char *code, *kind;
	} files[] = { { "IM", "image" }, { "LI", "library" }, { "SO", "sound" }, { "VF", "font" }, { "MC", "movieclip" }, { "CF", "cache" }, { "VO", "cache" } };
	struct fg_spot global;

	if (fg_dna_root(&global, r->dna, first_of(r, "GLOB")))
		r->current = fg_dna_pointer(r->dna, &global, "curscene");
	for (int i = 0; i < r->nblocks; i++) {
		const struct fg_block *block = &r->blocks[i];

		if (strcmp(block->code, "SC") == 0)
			read_scene(r, block);
		else if (strcmp(block->code, "OB") == 0)
			read_camera(r, block);
		else if (strcmp(block->code, "DATA") == 0)
			read_cache(r, block);
		for (size_t k = 0; k < sizeof(files) / sizeof(*files); k++)
			if (strcmp(block->code, files[k].code) == 0)
				read_file(r, block, files[k].kind);
	}
	read_thumbnail(r);
	if (r->blend->active[0] == '\0' && r->blend->nscenes > 0)
		memcpy(r->blend->active, r->blend->scenes[0].name, sizeof(r->blend->active));
}

static enum fg_err
read_once(struct reader *r, int fd, int64_t max_bytes)
{
	enum fg_err err;

	forget_blocks(r);
	fg_container_free(r->file);
	r->file = NULL;
	r->owner = 0;
	r->owner_code[0] = '\0';
	if ((err = fg_container_open(&r->file, fd, max_bytes)) != FG_OK || (err = read_header(r)) != FG_OK)
		return err;
	return read_blocks(r);
}

static enum fg_err
read_catalogue(struct reader *r)
{
	const struct fg_block *dna = first_of(r, "DNA1");

	if (dna == NULL)
		return fg_fail(FG_EFORMAT, "the .blend lacks its catalogue of structures");
	return fg_dna_parse(&r->dna, dna->bytes, dna->len, r->swap, r->pointer_size);
}

static enum fg_err
read_all(struct reader *r, int fd, int64_t max_bytes)
{
	enum fg_err err;

	if ((err = read_once(r, fd, max_bytes)) != FG_OK || (err = read_catalogue(r)) != FG_OK)
		return err;
	if (r->full) {
		r->full = false;
		if ((err = read_once(r, fd, max_bytes)) != FG_OK)
			return err;
	}
	r->by_address = fg_alloc(sizeof(*r->by_address) * (size_t)r->nblocks);
	memcpy(r->by_address, r->blocks, sizeof(*r->by_address) * (size_t)r->nblocks);
	qsort(r->by_address, (size_t)r->nblocks, sizeof(*r->by_address), by_old);
	understand(r);
	return r->blend->nscenes > 0 ? FG_OK : fg_fail(FG_EFORMAT, "there is no scene in this .blend");
}

enum fg_err
fg_blend_read(struct fg_blend **out, int fd, int64_t max_bytes)
{
	struct reader r = { .blend = fg_alloc(sizeof(*r.blend)) };
	enum fg_err   err;

	r.blend->scenes = fg_alloc(sizeof(*r.blend->scenes) * (FG_BLEND_SCENES + 1));
	r.blend->cameras = fg_alloc(sizeof(*r.blend->cameras) * (FG_BLEND_CAMERAS + 1));
	r.blend->files = fg_alloc(sizeof(*r.blend->files) * (FG_BLEND_FILES + 1));
	err = read_all(&r, fd, max_bytes);
	fg_container_free(r.file);
	fg_dna_free(r.dna);
	forget_blocks(&r);
	free(r.blocks);
	free(r.by_address);
	if (err != FG_OK) {
		fg_blend_free(r.blend);
		r.blend = NULL;
	}
	*out = r.blend;
	return err;
}

void
fg_blend_free(struct fg_blend *blend)
{
	if (blend == NULL)
		return;
	free(blend->scenes);
	free(blend->cameras);
	free(blend->files);
	free(blend->thumbnail);
	free(blend);
}

const struct fg_blend_scene *
fg_blend_scene(const struct fg_blend *blend, const char *name)
{
	if (name[0] == '\0')
		name = blend->active;
	for (int i = 0; i < blend->nscenes; i++)
		if (strcmp(blend->scenes[i].name, name) == 0)
			return &blend->scenes[i];
	return NULL;
}
