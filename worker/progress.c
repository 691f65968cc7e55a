#include "worker/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	if (strncmp(line, "Fra:", 4) == 0)
		status(p, line);
	else if (strncmp(line, "Saved: '", 8) == 0) {
		p->saved = true;
		at_least(p, 1);
	} else if (strncmp(line, "Error", 5) == 0)
		snprintf(p->error, sizeof(p->error), "%s", line);
	if (strcasestr(line, "out of memory") != NULL || strstr(line, "std::bad_alloc") != NULL || strstr(line, "MemoryError") != NULL)
		p->out_of_memory = true;
	if (strncmp(line, "Traceback (most recent call last)", 33) == 0)
		p->python_error = true;
}
