/* error: a worker reports that something went wrong, with its log. A report about a live lease puts the task back and counts; one without a job,
 * or of a type that is nobody's fault, counts for nothing. Our own worker sends with keep=1 what Blender said of a task that goes well.
 *
 *   POST /server/error.php   type, job, frame, render_time or rendertime, memoryused, file (the log), keep; all optional
 *   200  <error status="0"/>
 *   Protocol: doc/protocol.md#error    Test: tests/integration/protocol.py
 */
#include "farm/ask.h"
#include "farm/report.h"
#include "http/endpoint.h"

enum { TYPE, JOB, MEMORYUSED, KEEP };

static const struct fg_param params[] = {
	[TYPE]       = { "type",       FG_PARAM_INT, .optional = true, .loose = true, .max = 999 },
	[JOB]        = { "job",        FG_PARAM_INT, .optional = true, .loose = true, .min = FG_LEASE_ID_MIN, .max = INT32_MAX },
	[MEMORYUSED] = { "memoryused", FG_PARAM_INT, .optional = true, .loose = true, .max = INT64_C(1) << 42 },
	[KEEP]       = { "keep",       FG_PARAM_INT, .optional = true, .loose = true, .max = 1 },
};

static int64_t
most_bytes(const struct fg_settings *settings)
{
	return settings->log_bytes * 16; /* more is refused; of what is taken, log_bytes are kept */
}

static enum fg_err
error(struct fg_req *req)
{
	const struct fg_report report = {
		.lease      = fg_req_int(req, JOB, FG_NO_LEASE),
		.key        = req->session->key,
		.type       = (int)fg_req_int(req, TYPE, FG_REPORT_UNTYPED),
		.memory_kib = fg_req_int(req, MEMORYUSED, 0),
		.log_fd     = req->file.there ? req->file.file.fd : -1,
		.log_alone  = fg_req_int(req, KEEP, 0) == 1,
	};
	enum fg_err err;

	if ((err = fg_report_take(&report, req->farm, req->now_ms)) == FG_OK)
		err = fg_ask_reported(req->db, req->session, report.type, report.lease, req->now_ms);
	return err == FG_OK ? fg_xml_status(req, "error", 0) : err;
}

/* What strangers send is thanked for, and not read. */
static enum fg_err
enter(struct fg_req *req)
{
	return req->session != NULL ? FG_OK : FG_EAUTH;
}

static enum fg_err
refuse(struct fg_req *req, enum fg_err err, int param)
{
	(void)param;
	return err == FG_EMETHOD ? fg_http_error(req, err) : fg_xml_status(req, "error", 0);
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "error", .methods = FG_GET | FG_POST, .needs = FG_WORKER_SESSION_OPTIONAL, .body = FG_BODY_FILE, .file = "file", .file_max = most_bytes,
		.params = params, .nparams = sizeof(params) / sizeof(*params), .enter = enter, .handle = error, .refuse = refuse,
	});
}
