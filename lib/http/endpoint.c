#include "http/endpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "base/log.h"
#include "base/time.h"
#include "farm/confine.h"
#include "farm/look.h"
#include "farm/program.h"

enum { POOL = 8 }; /* of nginx/endpoints.list */

static volatile sig_atomic_t leaving;

static void
leave(int number)
{
	(void)number;
	leaving = 1;
	FCGX_ShutdownPending();
}

static enum fg_err
refuse(struct fg_req *req, enum fg_err err, int param)
{
	if (req->answered)
		return FG_OK; /* too late for another one; the log line says how it went */
	fg_buf_clear(&req->headers);
	return req->endpoint->refuse != NULL ? req->endpoint->refuse(req, err, param) : fg_http_error(req, err);
}

/* How many of us there are: who starts us says so. */
static int
pool_size(void)
{
	const char *text = getenv("FARMGATE_POOL");
	const long  size = text != NULL ? strtol(text, NULL, 10) : 0;

	return size > 0 && size < 1000 ? (int)size : POOL;
}

static enum fg_err
take_stream(int *stream, const struct fg_req *req)
{
	const bool sends = req->method_bit == FG_PATCH || (req->method_bit == FG_POST && (req->content_length > 0 || *fg_req_header(req, "HTTP_TRANSFER_ENCODING") != '\0'));

	if (!req->endpoint->streamed || !sends)
		return FG_OK;
	return fg_stream_begin(stream, req->farm, req->endpoint->name, req->user != NULL ? req->user->id : 0, pool_size());
}

static enum fg_err
work(struct fg_req *req, int *stream, int *param)
{
	enum fg_err err;

	*param = -1;
	if ((err = fg_req_take(req)) != FG_OK || (err = fg_req_who(req)) != FG_OK ||
	    (req->endpoint->enter != NULL && (err = req->endpoint->enter(req)) != FG_OK) || (err = take_stream(stream, req)) != FG_OK ||
	    (err = fg_req_parameters(req, param)) != FG_OK)
		return err;
	return req->endpoint->handle(req);
}

static void
log_line(const struct fg_req *req, enum fg_err err, int64_t began_ms)
{
	char status[16] = "";

	if (req->protocol_status != 0)
		snprintf(status, sizeof(status), "/%d", req->protocol_status);
	fg_log(err == FG_EIO || err == FG_EBUSY || req->broken ? FG_LOG_WARN : FG_LOG_INFO, "request",
	       "method=%s status=%d%s session=%" PRId64 " user=%" PRId64 " ms=%" PRId64 "%s%s%s", req->method_bit != 0 ? req->method : "?", req->status, status,
	       req->session != NULL ? req->session->id : 0, req->user != NULL ? req->user->id : 0, fg_steady_ms() - began_ms, err != FG_OK ? " err=" : "",
	       err != FG_OK ? fg_err_name(err) : "", req->broken ? " broken=1" : "");
}

static void
serve(const struct fg_endpoint *endpoint, struct fg_farm *farm, FCGX_Request *fcgi, struct fg_arena *arena)
{
	const int64_t began_ms = fg_steady_ms();
	struct fg_req req = { .arena = *arena, .db = farm->db, .farm = farm, .settings = &farm->settings, .now_ms = fg_now_ms(), .endpoint = endpoint,
		              .fcgi = fcgi, .file = { .file = FG_SPOOL_NO_FILE } };
	int           param, stream = -1;
	enum fg_err   err;

	fg_err_clear();
	fg_farm_refresh(farm, req.now_ms);
	req.id = "-";
	err = work(&req, &stream, &param);
	fg_look_end(stream);
	if (err != FG_OK)
		refuse(&req, err, param);
	else if (!req.answered)
		refuse(&req, FG_EIO, -1);
	log_line(&req, err, began_ms);
	fg_log_request(NULL);
	fg_req_reset(&req);
	*arena = req.arena;
}

static int
complain(const char *what)
{
	fprintf(stderr, "%s\n", what);
	return 1;
}

int
fg_http_main(const struct fg_endpoint *endpoint)
{
	const struct sigaction on_term = { .sa_handler = leave };
	struct fg_arena        arena = { 0 };
	struct fg_farm         farm;
	FCGX_Request           fcgi;
	enum fg_err            err;

	fg_log_program(endpoint->name);
	sigaction(SIGTERM, &on_term, NULL);
	sigaction(SIGINT, &on_term, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (FCGX_IsCGI())
		return complain("This is a FastCGI program: start it with farmgate-spawn, spawn-fcgi or a systemd socket.");
	err = fg_farm_open(&farm, NULL, FG_DB_SHARED);
	if (err != FG_OK) {
		fg_log(FG_LOG_ERROR, "start.failed", "why=%s", fg_log_quote(fg_err_text(err)).text);
		fg_farm_close(&farm);
		sleep(1); /* the supervisor starts us again at once; not too often */
		return 1;
	}
	fg_program_note(farm.db, endpoint->name, fg_now_ms());
	if (FCGX_Init() != 0 || FCGX_InitRequest(&fcgi, 0, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		return complain("libfcgi could not be set up.");
	if (endpoint->caged && !fg_confine(FG_CAGE_SERVE))
		fg_log(FG_LOG_WARN, "cage.missing", "why=%s", fg_log_quote(strerror(errno)).text);
	while (!leaving && FCGX_Accept_r(&fcgi) == 0) {
		serve(endpoint, &farm, &fcgi, &arena);
		FCGX_Finish_r(&fcgi);
	}
	fg_farm_close(&farm);
	return 0;
}
