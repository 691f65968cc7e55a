/* request_job: a worker asks for something to render.
 *
 *   GET|POST /server/request_job.php   computemethod (0 CPU or GPU, 1 CPU, 2 GPU; else 1), ram_max (KiB free), gpu_model; the body may list cached archives
 *   200  <jobrequest status="0"> with the task, its renderer and its script
 *   200  <jobrequest status="N"/>   200 nothing to do, or its worker sleeps · 201 no right to render · 202 session dead · 203 set aside · 205 no renderer for its system
 *   In each answer <file md5 action="delete"/> names cached archives that nothing needs any more.
 *   Order of lending: doc/architecture.md#fairness    Protocol: doc/protocol.md#request_job    Test: tests/integration/protocol.py
 */
#include <string.h>

#include "farm/ask.h"
#include "farm/job.h"
#include "farm/worker.h"
#include "http/endpoint.h"
#include "http/job_writer.h"

enum { COMPUTEMETHOD, RAM_MAX, GPU_MODEL };
enum { NOTHING = 200, NO_RIGHT = 201, SESSION_DEAD = 202, SET_ASIDE = 203, NO_RENDERER = 205 };

static const struct fg_param params[] = {
	[COMPUTEMETHOD] = { "computemethod", FG_PARAM_INT, .optional = true, .loose = true, .min = 0, .max = 2 },
	[RAM_MAX]       = { "ram_max",       FG_PARAM_INT, .optional = true, .loose = true, .min = 1, .max = INT64_C(1) << 42 },
	[GPU_MODEL]     = { "gpu_model",     FG_PARAM_TEXT, .optional = true, .loose = true, .max = 127 },
};

/* An answer that doesn't reach the worker gives the task back. */
static enum fg_err
lend(struct fg_req *req, const struct fg_offer *offer)
{
	struct fg_job job;
	enum fg_err   err = fg_job_take(&job, req->farm, offer, req->now_ms);

	if (err == FG_OK && (err = fg_http_job(req, &job)) != FG_OK)
		fg_lease_return(req->db, job.lease.id, req->now_ms);
	fg_job_free(&job);
	return err;
}

/* There is nothing for it: noted, so that people see why and when it comes again. */
static enum fg_err
nothing(struct fg_req *req, int status, const char *why)
{
	fg_ask_told(req->db, req->session, status, why, req->now_ms); /* the answer is true all the same */
	return fg_http_no_job(req, status);
}

/* A machine may get another graphics card. */
static void
note_gpu(const struct fg_req *req)
{
	const char *gpu = fg_req_text(req, GPU_MODEL, "");

	if (*gpu != '\0' && strcmp(gpu, req->session->gpu) != 0)
		fg_worker_gpu(req->db, req->session->worker, gpu);
}

static enum fg_err
request_job(struct fg_req *req)
{
	const struct fg_session *session = req->session;
	const struct fg_offer    offer = {
		.session = session,
		.ram_kib = fg_req_int(req, RAM_MAX, session->ram_kib),
		.method  = (int)fg_req_int(req, COMPUTEMETHOD, 1),
	};
	enum fg_err err;

	if ((session->roles & FG_ROLE_WORKER) == 0)
		return nothing(req, NO_RIGHT, "its account has no role worker");
	note_gpu(req);
	if (session->aside)
		return nothing(req, SET_ASIDE, "set aside");
	if (fg_sleep_at(&session->sleep, req->now_ms))
		return nothing(req, NOTHING, "it sleeps");
	if (fg_farm_full(req->farm))
		return nothing(req, NOTHING, "the farm's disk is full");
	if ((err = lend(req, &offer)) == FG_ENOTFOUND)
		return nothing(req, NOTHING, "");
	return err == FG_EUNSUPPORTED ? nothing(req, NO_RENDERER, "no renderer for its system") : err;
}

static enum fg_err
refuse(struct fg_req *req, enum fg_err err, int param)
{
	(void)param;
	return err == FG_EAUTH ? fg_xml_status(req, "jobrequest", SESSION_DEAD) : fg_http_error(req, err);
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "request_job", .methods = FG_GET | FG_POST, .needs = FG_WORKER_SESSION,
		.params = params, .nparams = sizeof(params) / sizeof(*params), .handle = request_job, .refuse = refuse,
	});
}
