/* request: the first line is a cookie header, the second an address, the third a content type, the rest the body. */
#include <stdlib.h>

#include "../unit/peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct fg_param params[] = {
	{ "job", FG_PARAM_INT, .optional = true, .min = 20, .max = INT32_MAX },
	{ "name", FG_PARAM_TEXT, .optional = true, .loose = true, .max = 8 },
};
static const struct fg_endpoint endpoint = { .name = "fuzz", .methods = FG_POST, .params = params, .nparams = 2 };

static const char *
line(char out[512], const char **at, const char *end)
{
	size_t len = 0;

	while (*at < end && **at != '\n' && **at != '\0' && len < 511)
		out[len++] = *(*at)++;
	out[len] = '\0';
	*at += *at < end;
	return out;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct peer    peer;
	static struct fg_farm farm;
	struct fg_req         req = { .farm = &farm, .settings = &farm.settings, .endpoint = &endpoint, .fcgi = &peer.fcgi, .file = { .file = FG_SPOOL_NO_FILE } };
	const char           *at = (const char *)data, *end = at + size;
	char                  cookie[512], uri[512], type[512];
	int                   bad;

	line(cookie, &at, end);
	line(uri, &at, end);
	line(type, &at, end);
	peer_start(&peer, "POST", uri, type, at, (size_t)(end - at), size % 97 + 1);
	peer_env(&peer, "HTTP_COOKIE", cookie);
	fg_req_cookie(&req, "FGWORKER");
	if (fg_req_take(&req) == FG_OK && fg_req_parameters(&req, &bad) == FG_OK && fg_req_int(&req, 0, 20) < 20)
		abort();
	fg_req_reset(&req);
	free(req.arena.first);
	return 0;
}
