/* summary: how a project goes, in one to three plain sentences made by rules: where it stands, what fails, how often, on how many machines, and
 * what to do. No model, no network; but what a model made of them is kept here. */
#ifndef FG_FARM_SUMMARY_H
#define FG_FARM_SUMMARY_H

#include "base/buf.h"
#include "farm/project.h"

/** Append the sentences. Failures that can't be read are left out. */
void fg_summary(struct fg_buf *out, const struct fg_project *project, struct fg_db *db);

/** The same as a language model put it, if one did and it is still true; else the rules' own. */
void fg_summary_said(struct fg_buf *out, const struct fg_project *project, struct fg_db *db);

/** A model put `rules` into other words. Makes the event project.words when that is new. */
enum fg_err fg_summary_keep(struct fg_db *db, int64_t project, const char *rules, const char *said, int64_t now_ms);

/** "3 minutes", "a minute": for people. */
void fg_summary_duration(struct fg_buf *out, int64_t ms);

/** How long the rest will take, by what was rendered so far and how many tasks are being rendered now; -1 while nobody can tell. */
int64_t fg_summary_left_ms(const struct fg_project *project);

#endif
