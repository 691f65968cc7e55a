/* farmapi: what the parts of this program share: its parameters, its answers, and its calls. */
#ifndef FG_CGI_FARMAPI_H
#define FG_CGI_FARMAPI_H

#include <json-c/json.h>

#include "farm/user.h"
#include "http/endpoint.h"

enum {
	ID, CHUNKID, SUCCESS, ERRORMESSAGE, STATUSCODE, NAME, NEWLOGS, ERROR, UNFINISHEDONLY, PROJECTID, PASSWORD,
	UPLOAD_BLENDFILE, UPLOAD_TITLE, UPLOAD_ANIMATION, UPLOAD_FRAMESTART, UPLOAD_FRAMEEND, UPLOAD_CUTINTO, UPLOAD_OVERSCAN, FARMAPI_PARAMS
};

/* {"success": …, "message": …} with a status. */
enum fg_err farmapi_done(struct fg_req *req);
enum fg_err farmapi_refuse(struct fg_req *req, int status, const char *message);
enum fg_err farmapi_answer(struct fg_req *req, json_object *out); /**< adds "success": true */

/* Workers. */
enum fg_err farmapi_join(struct fg_req *req);
enum fg_err farmapi_getjob(struct fg_req *req);
enum fg_err farmapi_finishjob(struct fg_req *req);
enum fg_err farmapi_heartbeat(struct fg_req *req);
enum fg_err farmapi_updatelogs(struct fg_req *req);
enum fg_err farmapi_panic(struct fg_req *req);
enum fg_err farmapi_leave(struct fg_req *req);

/* People, by the address that they opened. */
enum fg_err farmapi_page(struct fg_req *req);
enum fg_err farmapi_open(struct fg_req *req);
enum fg_err farmapi_close(struct fg_req *req);
enum fg_err farmapi_projects(struct fg_req *req);
enum fg_err farmapi_delete(struct fg_req *req);
enum fg_err farmapi_workers(struct fg_req *req);
enum fg_err farmapi_log(struct fg_req *req);
enum fg_err farmapi_upload_allowed(const struct fg_req *req); /**< asked before the body comes */
enum fg_err farmapi_upload(struct fg_req *req);
enum fg_err farmapi_elsewhere(struct fg_req *req); /**< purging and renderers: in the portal, with the password */
enum fg_err farmapi_file(struct fg_req *req);      /**< /dat/… */

#endif
