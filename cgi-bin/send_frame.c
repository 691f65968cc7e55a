/* send_frame: a worker delivers a picture. It is checked, kept and counted; 0 is said only when file and row are on disk.
 *
 *   POST /server/send_frame.php   job, frame, file (multipart or urlencoded), rendertime, memoryused
 *   200  <jobvalidate status="N"/>   0 kept, or not needed any more · 300 job, frame or file missing · 301 broken or of another size
 *        302 not an image · 303 could not be stored: send it again · 304 session dead · 306 over the size limit (clients from 6 on)
 *   Whatever is refused is back in the queue at once.
 *   Protocol: doc/protocol.md#send_frame    Test: tests/integration/protocol.py
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "farm/arrival.h"
#include "http/endpoint.h"

enum { JOB, FRAME, RENDERTIME, MEMORYUSED };
enum { OK = 0, MISSING = 300, BROKEN = 301, NO_IMAGE = 302, NOT_STORED = 303, SESSION_DEAD = 304, TOO_LARGE = 306 };

static const struct fg_param params[] = {
	[JOB]        = { "job",        FG_PARAM_INT, .min = FG_LEASE_ID_MIN, .max = INT32_MAX },
	[FRAME]      = { "frame",      FG_PARAM_INT, .min = 0, .max = FG_FRAME_MAX },
	[RENDERTIME] = { "rendertime", FG_PARAM_INT, .optional = true, .loose = true, .max = 31536000 },
	[MEMORYUSED] = { "memoryused", FG_PARAM_INT, .optional = true, .loose = true, .max = INT64_C(1) << 42 },
};

static int64_t
most_bytes(const struct fg_settings *settings)
{
	return settings->frame_bytes;
}

static enum fg_err
send_frame(struct fg_req *req)
{
	struct fg_arrival arrival = {
		.lease      = fg_req_int(req, JOB, FG_NO_LEASE),
		.key        = req->session->key,
		.frame      = (int)fg_req_int(req, FRAME, -1),
		.render_s   = fg_req_int(req, RENDERTIME, 0),
		.memory_kib = fg_req_int(req, MEMORYUSED, 0),
		.file       = &req->file.file,
	};

	if (!req->file.there || req->file.file.size == 0)
		return fg_xml_status(req, "jobvalidate", MISSING);
	switch (fg_arrival_take(&arrival, req->farm, req->now_ms)) {
	case FG_OK:
		return fg_xml_status(req, "jobvalidate", OK);
	case FG_ENOTFOUND:
		return fg_xml_status(req, "jobvalidate", MISSING);
	case FG_EINVAL:
		return fg_xml_status(req, "jobvalidate", BROKEN);
	case FG_EFORMAT:
	case FG_EUNSUPPORTED:
		return fg_xml_status(req, "jobvalidate", NO_IMAGE);
	default:
		return fg_xml_status(req, "jobvalidate", NOT_STORED);
	}
}

static enum fg_err
refuse(struct fg_req *req, enum fg_err err, int param)
{
	const bool knows_306 = req->session != NULL && strtol(req->session->version, NULL, 10) != 3;

	if (err == FG_EMETHOD)
		return fg_http_error(req, err);
	if (err == FG_EAUTH)
		return fg_xml_status(req, "jobvalidate", SESSION_DEAD);
	if (param >= 0 || err == FG_EFORMAT || err == FG_EINVAL)
		return fg_xml_status(req, "jobvalidate", MISSING);
	if (err == FG_ETOOBIG && req->values != NULL && req->values[JOB] != NULL)
		fg_arrival_refused(req->farm, fg_req_int(req, JOB, FG_NO_LEASE), req->session->key, "its picture is over the size limit (setting frame_bytes)", req->now_ms);
	return fg_xml_status(req, "jobvalidate", err == FG_ETOOBIG && knows_306 ? TOO_LARGE : NOT_STORED);
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "send_frame", .methods = FG_POST, .needs = FG_WORKER_SESSION, .caged = true, .body = FG_BODY_FILE, .file = "file", .file_max = most_bytes,
		.params = params, .nparams = sizeof(params) / sizeof(*params), .handle = send_frame, .refuse = refuse,
	});
}
