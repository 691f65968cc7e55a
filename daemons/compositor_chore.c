#include "compositor_chore.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compositor_child.h"
#include "base/log.h"
#include "base/time.h"
#include "farm/audit.h"
#include "farm/check.h"
#include "farm/chore.h"
#include "farm/md5.h"
#include "farm/purge.h"
#include "farm/renderer_import.h"
#include "farm/upload.h"

enum { TOLD = 500, TELL_MS = 500 };

/* ---- the compositor's side */

void
fg_chores_look(struct fg_choring *c, struct fg_farm *farm)
{
	int status = 0;

	if (c->pid > 0) {
		if (waitpid(c->pid, &status, WNOHANG) != c->pid)
			return;
		c->pid = 0;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) /* nothing where it said itself what went wrong */
			fg_chore_end(farm->db, c->id, false, "it was interrupted; try again", fg_now_ms());
	}
	if (fg_chore_take(&c->id, farm->db) == FG_OK && (c->pid = fg_child_self(farm->config, "--chore", c->id)) < 0)
		c->pid = 0;
}

void
fg_chores_end(struct fg_choring *c, struct fg_farm *farm)
{
	if (c->pid > 0) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
	}
	fg_chore_recover(farm->db);
}

/* ---- the process of its own */

struct doing {
	struct fg_farm   *farm;
	struct fg_chore  *chore;
	struct fg_checked checked;
	struct fg_buf     report;
	int               lines;
	int64_t           told_ms;
};

static void
tell(struct doing *d, bool now)
{
	const int64_t now_ms = fg_steady_ms();

	if (!now && now_ms - d->told_ms < TELL_MS)
		return;
	d->told_ms = now_ms;
	fg_chore_progress(d->farm->db, d->chore, fg_buf_text(&d->report));
}

static bool
take_fault(void *ctx, const struct fg_fault *fault)
{
	struct doing *d = ctx;

	if (fault != NULL && d->lines++ < TOLD)
		fg_buf_printf(&d->report, "%s: %s%s\n", fault->file, fault->what, fault->mended ? " (mended)" : "");
	d->chore->done = d->checked.compared;
	d->chore->mended = d->checked.mended;
	tell(d, false);
	return true;
}

static enum fg_err
do_check(struct doing *d)
{
	enum fg_err err;

	if ((err = fg_check_total(&d->chore->total, d->farm->db)) != FG_OK ||
	    (err = fg_check_telling(&d->checked, d->farm, strcmp(d->chore->what, "mend") == 0, take_fault, d, fg_now_ms())) != FG_OK)
		return err;
	if (d->lines > TOLD)
		fg_buf_printf(&d->report, "and %d more\n", d->lines - TOLD);
	d->chore->done = d->chore->total = d->checked.compared;
	d->chore->mended = d->checked.mended;
	snprintf(d->chore->message, sizeof(d->chore->message), "%d rows and files compared, %d differ, %d mended", d->checked.compared, d->checked.faults, d->checked.mended);
	return FG_OK;
}

static void
count_gone(void *ctx, int gone)
{
	struct doing *d = ctx;

	d->chore->done = gone;
	tell(d, false);
}

static enum fg_err
do_purge(struct doing *d)
{
	enum fg_err err = fg_purge(d->farm, count_gone, d, d->chore->created_ms);

	d->chore->total = d->chore->done;
	snprintf(d->chore->message, sizeof(d->chore->message), "%" PRId64 " projects are gone", d->chore->done);
	return err;
}

static void
import_tick(void *ctx, int permille, const char *what)
{
	struct doing *d = ctx;

	const bool news = strcmp(d->chore->message, what) != 0;

	d->chore->done = permille;
	d->chore->total = 1000;
	snprintf(d->chore->message, sizeof(d->chore->message), "%s", what);
	tell(d, news);
}

static enum fg_err
digest(char sha256[65], const char *path)
{
	const int   fd = open(path, O_RDONLY | O_CLOEXEC);
	enum fg_err err = fd >= 0 ? fg_sha256_file(sha256, fd) : fg_fail(FG_ENOTFOUND, "the uploaded archive is gone; upload it again");

	if (fd >= 0)
		close(fd);
	return err;
}

static enum fg_err
do_import(struct doing *d)
{
	char                      id[FG_UPLOAD_ID], os[16], bits[8], version[33] = "", path[PATH_MAX], sha256[65], detail[400];
	struct fg_renderer_source source = { .archive = path, .os = os, .bits = bits, .tick = import_tick, .ctx = d };
	struct fg_renderer        r;
	struct fg_upload          upload;
	bool                      added;
	enum fg_err               err;

	if (sscanf(d->chore->what, "%32s %15s %7s %32s", id, os, bits, version) < 3)
		return fg_fail(FG_EINVAL, "it is not said what to import");
	source.version = version[0] != '\0' ? version : NULL;
	if ((err = fg_upload_find(&upload, d->farm, id, d->chore->user)) != FG_OK)
		return err;
	fg_upload_path(path, d->farm, &upload);
	if ((err = digest(sha256, path)) != FG_OK || (err = fg_renderer_import(&r, &added, d->farm, &source, fg_now_ms())) != FG_OK)
		return err;
	snprintf(detail, sizeof(detail), "%" PRId64 " %s %s %s archive sha256=%s packed md5=%s%s", r.id, r.version, r.os, r.bits, sha256, r.md5, added ? "" : " (was there)");
	if ((err = fg_audit_add(d->farm->db, d->chore->user, "renderer.add", detail, fg_now_ms())) != FG_OK)
		return err;
	d->chore->done = 1000;
	snprintf(d->chore->message, sizeof(d->chore->message), "Blender %s for %s (%s) is here", r.version, r.os, r.bits);
	return fg_upload_forget(d->farm, id);
}

int
fg_chore_run(struct fg_farm *farm, int64_t id)
{
	struct fg_chore chore;
	struct doing    d = { .farm = farm, .chore = &chore };
	char            why[512];
	enum fg_err     err;

	if (fg_chore_get(&chore, farm->db, id) != FG_OK)
		return 1;
	chore.done = chore.mended = 0;
	err = strcmp(chore.kind, "check") == 0 ? do_check(&d) : strcmp(chore.kind, "purge") == 0 ? do_purge(&d) : do_import(&d);
	snprintf(why, sizeof(why), "%s", err == FG_OK ? chore.message : fg_err_text(err));
	fg_log(err == FG_OK ? FG_LOG_INFO : FG_LOG_WARN, "chore.ended", "chore=%" PRId64 " kind=%s err=%s why=%s", id, chore.kind, fg_err_name(err), fg_log_quote(why).text);
	tell(&d, true);
	fg_chore_end(farm->db, id, err == FG_OK, why, fg_now_ms());
	fg_buf_free(&d.report);
	return 0;
}
