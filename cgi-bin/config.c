/* config: a worker's client logs in with its account's name and a worker key, and learns where everything is.
 *
 *   GET|POST /server/config.php (and / with login and version)   login, password (the key), version, os, bits, cpu_cores, ram, …
 *   200  <config status="0" publickey=""> with the addresses, and the one Set-Cookie that is the session
 *   200  <config status="N"/>   checked in this order: 100 no version, 101 too old, 103 no login and the cookie's session has ended,
 *                               104 something is missing or not known, 102 wrong name or key
 *   Protocol: doc/protocol.md#config    Test: tests/integration/protocol.py
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "http/endpoint.h"

enum { LOGIN, PASSWORD, VERSION, OS, BITS, CPU_CORES, RAM, CPU_MODEL_NAME, HOSTNAME, HWID, EXTRAS, NPARAMS };
enum { OK = 0, NO_VERSION = 100, TOO_OLD = 101, WRONG_LOGIN = 102, SESSION_ENDED = 103, MISSING = 104 };

static const struct fg_param params[NPARAMS] = {
	[LOGIN]          = { "login",          FG_PARAM_TEXT, .optional = true },
	[PASSWORD]       = { "password",       FG_PARAM_TEXT, .optional = true },
	[VERSION]        = { "version",        FG_PARAM_TEXT, .optional = true, .max = 31 },
	[OS]             = { "os",             FG_PARAM_TEXT, .optional = true, .max = 15 },
	[BITS]           = { "bits",           FG_PARAM_TEXT, .optional = true, .max = 7 },
	[CPU_CORES]      = { "cpu_cores",      FG_PARAM_INT,  .optional = true, .min = 1, .max = 65536 },
	[RAM]            = { "ram",            FG_PARAM_INT,  .optional = true, .min = 1, .max = INT64_C(1) << 52 },
	[CPU_MODEL_NAME] = { "cpu_model_name", FG_PARAM_TEXT, .optional = true, .loose = true },
	[HOSTNAME]       = { "hostname",       FG_PARAM_TEXT, .optional = true, .loose = true },
	[HWID]           = { "hwid",           FG_PARAM_TEXT, .optional = true, .loose = true },
	[EXTRAS]         = { "extras",         FG_PARAM_TEXT, .optional = true, .loose = true },
};

static bool
is_own(const struct fg_req *req)
{
	return strncmp(fg_req_text(req, EXTRAS, ""), "farmgate", 8) == 0;
}

/* 6.9 is older than 6.10: number by number. */
static bool
older(const char *version, const char *oldest)
{
	while (*oldest != '\0') {
		char      *rest_version, *rest_oldest;
		const long have = strtol(version, &rest_version, 10), want = strtol(oldest, &rest_oldest, 10);

		if (have != want)
			return have < want;
		version = *rest_version == '.' ? rest_version + 1 : "";
		oldest = *rest_oldest == '.' ? rest_oldest + 1 : "";
	}
	return false;
}

static bool
one_of(const char *value, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(value, *list) == 0)
			return true;
	return false;
}

static int
check(struct fg_req *req)
{
	static const char *const systems[] = { "linux", "windows", "mac", NULL }, *const sizes[] = { "32bit", "64bit", NULL };
	const char              *version = fg_req_text(req, VERSION, "");

	if (version[0] == '\0')
		return NO_VERSION;
	if (!is_own(req) && older(version, req->settings->oldest_version))
		return TOO_OLD;
	if (fg_req_text(req, LOGIN, "")[0] == '\0' && fg_req_cookie(req, "FGWORKER") != NULL && req->session == NULL)
		return SESSION_ENDED;
	if (fg_req_text(req, LOGIN, "")[0] == '\0' || fg_req_text(req, PASSWORD, "")[0] == '\0' || !one_of(fg_req_text(req, OS, ""), systems) ||
	    !one_of(fg_req_text(req, BITS, ""), sizes) || fg_req_int(req, CPU_CORES, 0) == 0 || fg_req_int(req, RAM, 0) == 0)
		return MISSING;
	return OK;
}

static void
add_request(struct fg_xml *xml, const char *type, const char *path)
{
	fg_xml_open(xml, "request");
	fg_xml_attr(xml, "type", type);
	fg_xml_attr(xml, "path", path);
	if (strcmp(type, "keepmealive") == 0)
		fg_xml_attr_int(xml, "max-period", 1440);
	fg_xml_close(xml);
}

/* One answer for all generations; 7.x and later ask for their scenes in chunks. */
static enum fg_err
welcome(struct fg_req *req, const char *cookie)
{
	struct fg_xml *xml = fg_xml_begin("config");
	char           value[128];

	snprintf(value, sizeof(value), "FGWORKER=%s; path=/; HttpOnly", cookie);
	fg_http_header(req, "Set-Cookie", value);
	fg_http_header(req, "Cache-Control", "no-store");
	fg_xml_attr_int(xml, "status", OK);
	fg_xml_attr(xml, "publickey", "");
	add_request(xml, "validate-job", "/server/send_frame.php");
	add_request(xml, "request-job", "/server/request_job.php");
	add_request(xml, "download-archive", "/server/download.php");
	if (!is_own(req) && strtol(fg_req_text(req, VERSION, ""), NULL, 10) >= 7) {
		add_request(xml, "download-binary", "/server/download_binary.php");
		add_request(xml, "download-chunk", "/server/download_chunk.php");
		add_request(xml, "speedtest-answer", "/server/keepmealive.php");
	}
	add_request(xml, "error", "/server/error.php");
	add_request(xml, "keepmealive", "/server/keepmealive.php");
	add_request(xml, "logout", "/account.php?mode=logout&worker=1");
	return fg_http_xml(req, xml, OK);
}

static enum fg_err
config(struct fg_req *req)
{
	const int64_t         ram = fg_req_int(req, RAM, 0);
	const struct fg_hello hello = {
		.login = fg_req_text(req, LOGIN, ""), .key = fg_req_text(req, PASSWORD, ""), .version = fg_req_text(req, VERSION, ""),
		.os = fg_req_text(req, OS, ""), .bits = fg_req_text(req, BITS, ""), .cpu = fg_req_text(req, CPU_MODEL_NAME, ""),
		.hostname = fg_req_text(req, HOSTNAME, ""), .hwid = fg_req_text(req, HWID, ""), .address = req->address,
		.cores = (int)fg_req_int(req, CPU_CORES, 1), .ram_kib = ram >= INT64_C(1) << 30 ? ram / 1024 : ram, .own = is_own(req),
	};
	const int         status = check(req);
	struct fg_session session;
	char              cookie[65];
	enum fg_err       err;

	if (status != OK)
		return fg_xml_status(req, "config", status);
	err = fg_session_start(cookie, &session, req->db, &hello, req->now_ms);
	if (err == FG_EAUTH) {
		fg_log(FG_LOG_WARN, "login.refused", "door=worker from=%s", fg_log_quote(req->address).text);
		return fg_xml_status(req, "config", WRONG_LOGIN);
	}
	return err == FG_OK ? welcome(req, cookie) : err;
}

static enum fg_err
refuse(struct fg_req *req, enum fg_err err, int param)
{
	if (param >= 0)
		return fg_xml_status(req, "config", param == VERSION || fg_req_text(req, VERSION, "")[0] == '\0' ? NO_VERSION : MISSING);
	return fg_http_error(req, err);
}

int
main(void)
{
	return fg_http_main(&(const struct fg_endpoint){
		.name = "config", .methods = FG_GET | FG_POST, .needs = FG_WORKER_SESSION_OPTIONAL,
		.params = params, .nparams = NPARAMS, .handle = config, .refuse = refuse,
	});
}
