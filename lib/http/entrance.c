#include "http/entrance.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "farm/login.h"
#include "farm/origin.h"
#include "http/response.h"

struct json_object *
fg_http_roles(int roles)
{
	json_object *out = json_object_new_array();

	for (int role = 1; role <= FG_ROLE_WORKER; role <<= 1)
		if ((roles & role) != 0)
			json_object_array_add(out, json_object_new_string(fg_role_name(role)));
	return out;
}

enum fg_err
fg_http_roles_parse(int *out, const char *text)
{
	*out = 0;
	for (text += strspn(text, " ,"); *text != '\0'; text += strspn(text, " ,")) {
		const size_t len = strcspn(text, " ,");
		char         word[16];

		snprintf(word, sizeof(word), "%.*s", (int)(len < sizeof(word) ? len : sizeof(word) - 1), text);
		if (fg_role_parse(word) == 0)
			return fg_fail(FG_EINVAL, "a role is admin, submitter or worker, several separated by commas; not %s", word);
		*out |= fg_role_parse(word);
		text += len;
	}
	return *out != 0 ? FG_OK : fg_fail(FG_EINVAL, "name at least one role: admin, submitter, worker");
}

enum fg_err
fg_http_tell_user(struct fg_req *req, int status, const struct fg_user *user)
{
	json_object *json = json_object_new_object();

	json_object_object_add(json, "id", json_object_new_int64(user->id));
	json_object_object_add(json, "name", json_object_new_string(user->name));
	json_object_object_add(json, "roles", fg_http_roles(user->roles));
	json_object_object_add(json, "csrf", json_object_new_string(user->csrf));
	return fg_http_json(req, status, json);
}

void
fg_http_cookie(struct fg_req *req, const char *value, int64_t seconds)
{
	char text[192];

	snprintf(text, sizeof(text), "FGSESSION=%s; Path=/; Max-Age=%" PRId64 "; HttpOnly; SameSite=Lax%s", value, seconds, req->https ? "; Secure" : "");
	fg_http_header(req, "Set-Cookie", text);
}

void
fg_http_device(struct fg_req *req, const char *name)
{
	char text[192], device[FG_DEVICE];

	fg_login_device(device, req->db, name);
	snprintf(text, sizeof(text), "FGDEVICE=%s; Path=/api/login; Max-Age=31536000; HttpOnly; SameSite=Strict%s", device, req->https ? "; Secure" : "");
	fg_http_header(req, "Set-Cookie", text);
}

enum fg_err
fg_http_own_form(const struct fg_req *req)
{
	if (strcmp(fg_req_header(req, "HTTP_SEC_FETCH_SITE"), "cross-site") == 0 || !fg_origin_ours(req->settings, fg_req_header(req, "HTTP_ORIGIN"), req->host))
		return fg_fail(FG_EFORBIDDEN, "log in on this farm's own page");
	if (strstr(req->query, "password=") != NULL)
		return fg_fail(FG_EINVAL, "a password belongs into the body, never into the address");
	return FG_OK;
}

enum fg_err
fg_http_password(struct fg_req *req, const char *password)
{
	struct fg_user user;
	char           session[40];
	enum fg_err    err;

	if (strstr(req->query, "password=") != NULL)
		return fg_fail(FG_EINVAL, "a password belongs into the body, never into the address");
	if (*password == '\0')
		return fg_fail(FG_EINVAL, "your password is needed for this");
	snprintf(session, sizeof(session), "session:%" PRId64, req->user->secret);
	err = fg_user_check(&user, req->db, req->user->name, password, req->address, session, req->settings->login_failures, req->now_ms);
	return err == FG_EAUTH ? fg_fail(FG_EFORBIDDEN, "this is not your password") : err;
}
