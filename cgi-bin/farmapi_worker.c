/* farmapi_worker: the calls of the other farm's workers. A worker's id is a session's token; its chunks are leases like any other. See farmapi.c. */
#include "farmapi.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/fs.h"
#include "base/log.h"
#include "farm/arrival.h"
#include "farm/ask.h"
#include "farm/door.h"
#include "farm/other_farm.h"
#include "farm/renderer_tar.h"
#include "farm/secret.h"
#include "farm/visit.h"
#include "text/base64.h"
#include "text/json_put.h"

enum { TOKEN = 64, BEAT_MS = 60000, WAIT_MS = 30000, OTHER_CLIENT = 2, PIECE = 1 << 16 };

static const int64_t DAY_MS = 24 * 60 * 60 * 1000, RAM_KIB = INT64_C(8) << 20; /* they don't tell their memory: eight GiB are taken for granted */

/* Whose id is it? FG_EAUTH. Any call keeps the session and its lease alive. */
static enum fg_err
find(struct fg_session *session, struct fg_req *req)
{
	const char *id = fg_req_text(req, ID, "");
	enum fg_err err;

	if (strlen(id) != TOKEN)
		return FG_EAUTH;
	if ((err = fg_session_find(session, req->db, req->settings, id, req->now_ms)) == FG_OK)
		err = fg_session_touch(req->db, req->settings, session, req->now_ms);
	return err;
}

/* From where a worker calls, its pictures come, and its downloads are asked for: that address is open for another day. */
static enum fg_err
open_door(struct fg_req *req, int64_t user)
{
	return fg_door_open(req->db, FG_DOOR_WORKER, req->address, user, req->now_ms + DAY_MS, req->now_ms);
}

/* Somebody whom we don't know hears what they always heard. */
static enum fg_err
unknown(struct fg_req *req, enum fg_err err)
{
	return err == FG_EAUTH ? farmapi_refuse(req, 400, "Bad Request") : err;
}

/* `NAME KEY`: a name may hold blanks, a key doesn't. */
static bool
split_name(char name[128], char key[FG_SECRET_TEXT], const char *given)
{
	const char *blank = strrchr(given, ' ');

	if (blank == NULL || blank == given || strlen(blank + 1) != FG_SECRET_TEXT - 1)
		return false;
	snprintf(name, 128, "%.*s", (int)(blank - given), given);
	snprintf(key, FG_SECRET_TEXT, "%s", blank + 1);
	return true;
}

/* A renderer that changes has another hash; our project ids are never used again, so this one stays. */
static void
server_hash(char hex[FG_SHA256_HEX], const struct fg_db *db)
{
	unsigned char hash[FG_SECRET_HASH];

	fg_secret_hash(hash, db, "the other farm's server hash");
	sodium_bin2hex(hex, FG_SHA256_HEX, hash, sizeof(hash));
}

static enum fg_err
welcome(struct fg_req *req, const char *id, const char *renderer_md5)
{
	char         hash[FG_SHA256_HEX], server[FG_SHA256_HEX], name[FG_SPOOL_NAME];
	json_object *out;
	enum fg_err  err = fg_renderer_tar(name, hash, req->farm, renderer_md5);

	if (err != FG_OK)
		return err;
	server_hash(server, req->db);
	out = json_object_new_object();
	fg_put_text(out, "id", id);
	fg_put_text(out, "blenderhash", hash);
	fg_put_text(out, "serverhash", server);
	fg_put_int(out, "heartbeatinterval", BEAT_MS);
	return farmapi_answer(req, out);
}

enum fg_err
farmapi_join(struct fg_req *req)
{
	char              name[128], key[FG_SECRET_TEXT], id[65], md5[33];
	struct fg_secret  secret;
	struct fg_session session;
	enum fg_err       err;

	if (fg_req_text(req, NAME, "")[0] == '\0')
		return farmapi_refuse(req, 400, "Bad Request");
	if (!split_name(name, key, fg_req_text(req, NAME, "")) || fg_secret_find(&secret, req->db, "key", key, req->now_ms) != FG_OK)
		return farmapi_refuse(req, 400, "write NAME KEY into name.txt, where KEY is a worker key of this farm's portal");
	if ((secret.roles & FG_ROLE_WORKER) == 0)
		return farmapi_refuse(req, 403, "this account has no role worker");
	if ((err = fg_other_renderer(md5, req->db)) != FG_OK)
		return farmapi_refuse(req, 503, fg_err_text(err));
	err = fg_session_start(id, &session, req->db,
	                       &(struct fg_hello){ .login = secret.user_name, .key = key, .version = "2254", .os = "linux", .bits = "64bit", .cpu = "",
	                                           .hostname = name, .hwid = "", .address = req->address, .cores = 1, .ram_kib = RAM_KIB, .own = OTHER_CLIENT },
	                       req->now_ms);
	if (err == FG_OK)
		err = open_door(req, secret.user);
	return err == FG_OK ? welcome(req, id, md5) : unknown(req, err);
}

static enum fg_err
nothing(struct fg_req *req, const struct fg_session *session, int answer, const char *why)
{
	json_object *out = json_object_new_object();

	fg_ask_told(req->db, session, answer, why, req->now_ms);
	json_object_object_add(out, "available", json_object_new_boolean(false));
	fg_put_int(out, "waittime", WAIT_MS);
	return fg_http_json(req, 200, out);
}

static enum fg_err
hand_out(struct fg_req *req, const struct fg_lease *lease, const struct fg_project *project)
{
	struct fg_other_tile tile;
	json_object         *out = json_object_new_object();

	fg_other_tile(&tile, project, lease);
	json_object_object_add(out, "available", json_object_new_boolean(true));
	fg_put_int(out, "dataid", lease->project);
	fg_put_text(out, "chunkid", tile.chunk);
	fg_put_int(out, "frame", lease->frame);
	fg_put_int(out, "cutinto", project->rows);
	fg_put_int(out, "row", tile.row);
	fg_put_int(out, "column", tile.column);
	fg_put_text(out, "blendfile", project->blend);
	fg_put_int(out, "overscan", fg_other_overscan(project));
	return farmapi_answer(req, out);
}

enum fg_err
farmapi_getjob(struct fg_req *req)
{
	struct fg_session     session;
	struct fg_lease       lease;
	struct fg_project     project;
	int64_t               held = FG_NO_LEASE;
	const struct fg_offer offer = { .session = &session, .ram_kib = RAM_KIB, .method = 1, .accepts = fg_other_accepts };
	enum fg_err           err;

	if ((err = find(&session, req)) != FG_OK || (err = fg_other_lease(&held, req->db, session.id)) != FG_OK)
		return unknown(req, err);
	if (held != FG_NO_LEASE)
		return farmapi_refuse(req, 400, "Bad Request"); /* it works already */
	if ((session.roles & FG_ROLE_WORKER) == 0 || session.aside)
		return nothing(req, &session, 203, "set aside");
	if (fg_sleep_at(&session.sleep, req->now_ms))
		return nothing(req, &session, 200, "it sleeps");
	if (fg_farm_full(req->farm))
		return nothing(req, &session, 200, "the farm's disk is full");
	err = fg_lease_grant(&lease, &project, req->db, req->settings, &offer, req->now_ms);
	if (err == FG_ENOTFOUND || err == FG_EUNSUPPORTED)
		return nothing(req, &session, 200, "");
	if (err == FG_OK && ((err = open_door(req, session.user)) != FG_OK || (err = hand_out(req, &lease, &project)) != FG_OK))
		fg_lease_return(req->db, lease.id, req->now_ms);
	return err;
}

/* The picture's letters lie in one file of the spool, its bytes shall lie in another. */
static enum fg_err
decode(struct fg_spool_file *out, const struct fg_req *req)
{
	static char      letters[PIECE];
	static uint8_t   bytes[PIECE / 4 * 3 + 3];
	struct fg_base64 base64 = { .count = 0 };
	const int        from = req->file.file.fd;
	int64_t          at = 0;
	size_t           made;
	ssize_t          got;
	enum fg_err      err = fg_spool_create(out, &req->farm->spool);

	while (err == FG_OK && (got = pread(from, letters, sizeof(letters), at)) > 0) {
		at += got;
		if ((err = fg_base64_feed(&base64, bytes, &made, letters, (size_t)got)) == FG_OK && (err = fg_fs_write(out->fd, bytes, made)) == FG_OK)
			out->size += (int64_t)made;
	}
	return err == FG_OK ? fg_base64_end(&base64) : err;
}

static enum fg_err
take_picture(struct fg_req *req, const struct fg_session *session, const struct fg_other_loan *loan)
{
	struct fg_spool_file file = FG_SPOOL_NO_FILE;
	struct fg_arrival    arrival = { .lease = loan->lease, .key = session->key, .frame = loan->frame, .render_s = loan->for_ms / 1000, .bare = true,
		                         .file = &file };
	enum fg_err          err = req->file.there ? decode(&file, req) : FG_EFORMAT;

	if (err == FG_EFORMAT)
		fg_arrival_refused(req->farm, loan->lease, session->key, "the worker sent no picture", req->now_ms);
	else if (err == FG_OK)
		err = fg_arrival_take(&arrival, req->farm, req->now_ms);
	fg_spool_discard(&file);
	if (err == FG_EFORMAT || err == FG_EINVAL || err == FG_EUNSUPPORTED)
		return farmapi_refuse(req, 400, "Invalid image");
	return err == FG_OK ? farmapi_done(req) : err;
}

/* One line of what a worker says, for people. */
static void
fail(struct fg_req *req, const struct fg_session *session, int64_t lease, const char *what, const char *said)
{
	char why[400];

	snprintf(why, sizeof(why), "%s: %.300s", what, *said != '\0' ? said : "no reason given");
	for (char *p = why; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	fg_lease_fail(req->db, req->settings, &(struct fg_failure){ .lease = lease, .key = session->key, .blame = FG_BLAME_BOTH, .why = why }, req->now_ms);
}

enum fg_err
farmapi_finishjob(struct fg_req *req)
{
	struct fg_session    session;
	struct fg_other_loan loan;
	char                 what[64];
	enum fg_err          err;

	if ((err = find(&session, req)) != FG_OK)
		return unknown(req, err);
	err = fg_other_find(&loan, req->db, session.id, fg_req_text(req, CHUNKID, ""), req->now_ms);
	if (err == FG_ENOTFOUND)
		return farmapi_refuse(req, 400, "You aren't meant to be doing that task!!!");
	if (err != FG_OK)
		return err;
	if (fg_req_int(req, SUCCESS, 0) == 1)
		return take_picture(req, &session, &loan);
	snprintf(what, sizeof(what), "Blender ended with status %" PRId64, fg_req_int(req, STATUSCODE, -1));
	fail(req, &session, loan.lease, what, fg_req_text(req, ERRORMESSAGE, ""));
	return farmapi_done(req);
}

enum fg_err
farmapi_heartbeat(struct fg_req *req)
{
	struct fg_session session;
	struct fg_user    there;
	enum fg_err       err = find(&session, req);

	if (err == FG_OK && (err = fg_door_find(&there, req->db, FG_DOOR_WORKER, req->address, req->now_ms)) == FG_EAUTH)
		err = open_door(req, session.user);
	return err == FG_OK || err == FG_EAUTH ? farmapi_done(req) : err;
}

enum fg_err
farmapi_updatelogs(struct fg_req *req)
{
	struct fg_session session;
	const char       *logs = fg_req_text(req, NEWLOGS, "");
	size_t            len = strlen(logs);
	enum fg_err       err = find(&session, req);

	if (err != FG_OK)
		return unknown(req, err);
	if (len >= FG_VISIT_DETAIL) {
		logs += len - FG_VISIT_DETAIL + 1;
		logs += strspn(logs, "\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x95\x96\x97\x98\x99\x9a\x9b\x9c\x9d\x9e\x9f"
		                     "\xa0\xa1\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xaa\xab\xac\xad\xae\xaf\xb0\xb1\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xbb\xbc\xbd\xbe\xbf");
	}
	if (*logs != '\0')
		err = fg_visit_note(req->db, &(struct fg_visit){ .worker = session.worker, .kind = "log", .detail = logs }, req->now_ms);
	return err == FG_OK ? farmapi_done(req) : err;
}

/* Their workers break down over a scene that Blender can't render, and end: that counts as a failure, or such a scene would kill them one by one. */
enum fg_err
farmapi_panic(struct fg_req *req)
{
	struct fg_session session;
	int64_t           lease = FG_NO_LEASE;
	enum fg_err       err;

	if ((err = find(&session, req)) != FG_OK || (err = fg_other_lease(&lease, req->db, session.id)) != FG_OK)
		return unknown(req, err);
	fg_visit_note(req->db, &(struct fg_visit){ .worker = session.worker, .kind = "report", .lease = lease, .detail = "panic" }, req->now_ms);
	if (lease != FG_NO_LEASE)
		fail(req, &session, lease, "the worker broke down", fg_req_text(req, ERROR, ""));
	err = fg_session_end(req->db, session.id, req->now_ms);
	return err == FG_OK ? farmapi_done(req) : err;
}

enum fg_err
farmapi_leave(struct fg_req *req)
{
	struct fg_session session;
	enum fg_err       err;

	if ((err = find(&session, req)) != FG_OK)
		return unknown(req, err);
	err = fg_session_end(req->db, session.id, req->now_ms);
	return err == FG_OK ? farmapi_done(req) : err;
}
