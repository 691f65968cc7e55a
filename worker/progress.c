#include "worker/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MOST = 63 }; /* bytes of a scene's or layer's name, as Blender has them */

void
fg_progress_init(struct fg_progress *progress)
{
	*progress = (struct fg_progress){ .remaining_s = -1 };
}

/* `MM:SS.cc`, from an hour on `HH:MM:SS.cc`. */
static int
seconds(const char *text)
{
	int a, b, c;

	if (sscanf(text, "%d:%d:%d", &a, &b, &c) == 3)
		return a * 3600 + b * 60 + c;
	return sscanf(text, "%d:%d", &a, &b) == 2 ? a * 60 + b : -1;
}

static void
at_least(struct fg_progress *p, double part)
{
	const int permille = part >= 1 ? 1000 : part > 0 ? (int)(part * 1000) : 0;

	if (permille > p->permille)
		p->permille = permille;
}

/* A word of the line behind `mark`, as ` name=word`. */
static void
note_word(struct fg_progress *p, const char *line, const char *mark, const char *name)
{
	const char  *at = strstr(line, mark);
	const size_t used = strlen(p->engine);
	size_t       len;

	if (at == NULL)
		return;
	at += strlen(mark);
	at += strspn(at, " ");
	len = strspn(at, "0123456789.:KMG");
	if (len > 0 && len < 24)
		snprintf(p->engine + used, sizeof(p->engine) - used, " %s=%.*s", name, (int)len, at);
}

/* `| Scene, ViewLayer |` of Cycles, as ` scene=… layer=…`; a blank, % or = of a name goes as %XX. */
static void
note_name(struct fg_progress *p, const char *name, const char *at, size_t len)
{
	size_t used = strlen(p->engine);

	used += (size_t)snprintf(p->engine + used, sizeof(p->engine) - used, " %s=", name);
	for (size_t i = 0; i < len && used + 4 < sizeof(p->engine); i++)
		used += (size_t)snprintf(p->engine + used, sizeof(p->engine) - used, strchr(" %=", at[i]) != NULL ? "%%%02X" : "%c", (unsigned char)at[i]);
}

static void
note_place(struct fg_progress *p, const char *line)
{
	const char *end = strstr(line, " | Sample "), *start, *comma = NULL;

	if (end == NULL && (end = strstr(line, " | Rendered ")) == NULL)
		return;
	for (start = end; start > line && strncmp(start, "| ", 2) != 0; start--)
		if (strncmp(start, ", ", 2) == 0)
			comma = start;
	if (comma == NULL || start == line || comma - start - 2 > NAME_MOST || end - comma - 2 > NAME_MOST)
		return;
	note_name(p, "scene", start + 2, (size_t)(comma - start - 2));
	note_name(p, "layer", comma + 2, (size_t)(end - comma - 2));
}

static void
note_pair(struct fg_progress *p, const char *done_name, int done, const char *all_name, int all)
{
	const size_t used = strlen(p->engine);

	snprintf(p->engine + used, sizeof(p->engine) - used, " %s=%d %s=%d", done_name, done, all_name, all);
}

/* What the line says of the renderer, anew with each line that tells of samples, tiles or parts. */
static void
note(struct fg_progress *p, const char *line)
{
	const char *sample = strstr(line, "Sample "), *tiles = strstr(line, "Rendered "), *eevee = strstr(line, "| Rendering "), *part = strstr(line, "Part ");
	int         done = 0, all = 0, s = 0, of = 0;
	const bool  has_eevee = eevee != NULL && sscanf(eevee, "| Rendering %9d / %9d samples", &s, &of) == 2;
	const bool  has_sample = !has_eevee && sample != NULL && sscanf(sample, "Sample %9d/%9d", &s, &of) == 2;
	const bool  has_tiles = tiles != NULL && sscanf(tiles, "Rendered %9d/%9d Tiles", &done, &all) == 2;
	const bool  has_part = !has_tiles && part != NULL && sscanf(part, "Part %9d-%9d", &done, &all) == 2;

	if (!has_eevee && !has_sample && !has_tiles && !has_part) {
		if (p->engine[0] == '\0' && strstr(line, "| Time:") == NULL)
			snprintf(p->engine, sizeof(p->engine), "NON_COMPATIBLE");
		return;
	}
	snprintf(p->engine, sizeof(p->engine), "%s", has_eevee ? "BLENDER_EEVEE" : has_part ? "BLENDER_RENDER" : "CYCLES");
	note_word(p, line, "Fra:", "frame");
	note_word(p, line, "Mem:", "mem");
	note_word(p, line, "Peak ", "peak");
	note_word(p, line, "Time:", "elapsed");
	note_word(p, line, "Remaining:", "remaining");
	if (!has_eevee && !has_part)
		note_place(p, line);
	if (has_eevee || has_sample)
		note_pair(p, "samples_done", s, "samples_todo", of);
	if (has_tiles)
		note_pair(p, "tiles_done", done, "tiles_todo", all);
	if (has_part)
		note_pair(p, "part_done", done, "part_todo", all);
}

static void
status(struct fg_progress *p, const char *line)
{
	const char *sample = strstr(line, "Sample "), *tiles = strstr(line, "Rendered "), *eevee = strstr(line, "Rendering "), *left = strstr(line, "Remaining:");
	int         done = 0, all = 1, s = 0, of = 1;

	if (left != NULL && seconds(left + 10) >= 0)
		p->remaining_s = seconds(left + 10);
	if (eevee != NULL && sscanf(eevee, "Rendering %d / %d samples", &s, &of) == 2 && of > 0) {
		at_least(p, (double)s / of);
		return;
	}
	if (tiles != NULL && (sscanf(tiles, "Rendered %d/%d Tiles", &done, &all) != 2 || all < 1))
		done = 0, all = 1;
	if (sample != NULL && (sscanf(sample, "Sample %d/%d", &s, &of) != 2 || of < 1))
		s = 0, of = 1;
	if (tiles != NULL || sample != NULL)
		at_least(p, ((double)done + (done < all ? (double)s / of : 0)) / all);
}

void
fg_progress_line(struct fg_progress *p, const char *line)
{
	if (strncmp(line, "Fra:", 4) == 0) {
		status(p, line);
		note(p, line);
	} else if (strncmp(line, "Saved: '", 8) == 0) {
		p->saved = true;
		at_least(p, 1);
	} else if (strncmp(line, "Error", 5) == 0)
		snprintf(p->error, sizeof(p->error), "%s", line);
	if (strcasestr(line, "out of memory") != NULL || strstr(line, "std::bad_alloc") != NULL || strstr(line, "MemoryError") != NULL)
		p->out_of_memory = true;
	if (strncmp(line, "Traceback (most recent call last)", 33) == 0)
		p->python_error = true;
}
