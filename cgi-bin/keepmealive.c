/* keepmealive: a worker says that it lives and how far its task is; we say go on or stop.
 *
 *   GET|POST /server/keepmealive.php   job, rendertime, remainingtime; our own worker: progress (per mille), engine; all optional
 *   200  <keepmealive status="0"/>     go on (the session's leases are renewed, as by every request of a session)
 *   200  <keepmealive status="400"/>   stop: cancelled, delivered by somebody else, or running for too long
 *   Protocol: doc/protocol.md#keepmealive    Test: tests/integration/protocol.py
 */
#include "farm/lease.h"
#include "http/endpoint.h"

enum { JOB, RENDERTIME, REMAININGTIME, PROGRESS, ENGINE };
enum { YEAR_SECONDS = 31536000 };

static const struct fg_param params[] = {
	[JOB]           = { "job",           FG_PARAM_INT, .optional = true, .loose = true, .min = FG_LEASE_ID_MIN, .max = INT32_MAX },
	[RENDERTIME]    = { "rendertime",    FG_PARAM_INT, .optional = true, .loose = true, .max = YEAR_SECONDS },
	[REMAININGTIME] = { "remainingtime", FG_PARAM_INT, .optional = true, .loose = true, .max = YEAR_SECONDS },
	[PROGRESS]      = { "progress",      FG_PARAM_INT, .optional = true, .loose = true, .max = 1000 },
	[ENGINE]        = { "engine",        FG_PARAM_TEXT, .optional = true, .loose = true, .max = 800 },
};

static enum fg_err
keepmealive(struct fg_req *req)
{
	const struct fg_beat beat = {
		.key          = req->session != NULL ? req->session->key : 0,
		.lease        = fg_req_int(req, JOB, FG_NO_LEASE),    /* the protocol's job id */
		.rendertime_s = fg_req_int(req, RENDERTIME, 0),
		.remaining_s  = fg_req_int(req, REMAININGTIME, 0),
		.progress     = (int)fg_req_int(req, PROGRESS, -1),
		.engine       = fg_req_text(req, ENGINE, ""),
	};
	bool        go_on = false;
	enum fg_err err = fg_lease_beat(&go_on, req->db, &beat, req->now_ms);

	return err == FG_OK ? fg_xml_status(req, "keepmealive", go_on ? 0 : 400) : err;
}

/* A heartbeat that we can't understand or look up stops nobody. */
static enum fg_err
refuse(struct fg_req *req, enum fg_err err, int param)
{
	(void)param;
	return err == FG_EMETHOD ? fg_http_error(req, err) : fg_xml_status(req, "keepmealive", 0);
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "keepmealive", .methods = FG_GET | FG_POST, .needs = FG_WORKER_SESSION_OPTIONAL,
		.params = params, .nparams = sizeof(params) / sizeof(*params), .handle = keepmealive, .refuse = refuse,
	});
}
