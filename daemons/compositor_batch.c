#include "compositor_batch.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compositor_child.h"
#include "base/log.h"
#include "base/time.h"
#include "batch/turn.h"

enum { HELD_MS = 30000, RENEW_MS = 5000, SICK_MS = 10000 };

/* One that ended badly is looked at again after a while. */
static void
watch(struct fg_batchers *b, int i, struct fg_farm *farm)
{
	int status = 0;

	if (waitpid(b->place[i].pid, &status, WNOHANG) == b->place[i].pid) {
		b->place[i].pid = 0;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			fg_batch_rest(farm->db, b->place[i].batch, fg_now_ms() + SICK_MS);
	} else if (fg_steady_ms() - b->place[i].renewed_ms > RENEW_MS) {
		b->place[i].renewed_ms = fg_steady_ms();
		fg_batch_hold(farm->db, b->place[i].batch, fg_now_ms() + HELD_MS);
	}
}

void
fg_batchers_look(struct fg_batchers *b, struct fg_farm *farm)
{
	int64_t batch;

	for (int i = 0; i < FG_BATCHERS; i++) {
		if (b->place[i].pid > 0)
			watch(b, i, farm);
		if (b->place[i].pid > 0 || fg_batch_due(&batch, farm->db, fg_now_ms(), fg_now_ms() + HELD_MS) != FG_OK)
			continue;
		b->place[i].batch = batch;
		b->place[i].renewed_ms = fg_steady_ms();
		if ((b->place[i].pid = fg_child_self(farm->config, "--batch", batch)) < 0) {
			b->place[i].pid = 0;
			fg_batch_rest(farm->db, batch, 0);
		}
	}
}

void
fg_batchers_end(struct fg_batchers *b, struct fg_farm *farm)
{
	for (int i = 0; i < FG_BATCHERS; i++)
		if (b->place[i].pid > 0) {
			kill(b->place[i].pid, SIGKILL);
			waitpid(b->place[i].pid, NULL, 0);
			fg_batch_rest(farm->db, b->place[i].batch, 0);
		}
}

int
fg_batcher(struct fg_farm *farm, int64_t batch)
{
	enum fg_err err = fg_batch_turn(farm, batch);

	if (err == FG_OK)
		return 0;
	fg_log(FG_LOG_WARN, "batch.turn", "batch=%" PRId64 " why=%s", batch, fg_log_quote(fg_err_text(err)).text);
	return 1;
}
