#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
	const char *name, *message;
	int         http;
} table[FG_ERR_COUNT] = {
	[FG_OK]           = { "ok", "all is well", 200 },
	[FG_EINVAL]       = { "einval", "a value is not allowed", 400 },
	[FG_EAUTH]        = { "eauth", "log in first", 401 },
	[FG_EFORBIDDEN]   = { "eforbidden", "you don't have the right to do this", 403 },
	[FG_ENOTFOUND]    = { "enotfound", "there is no such thing", 404 },
	[FG_EMETHOD]      = { "emethod", "this method is not served here", 405 },
	[FG_ETIMEOUT]     = { "etimeout", "the other side was too slow", 408 },
	[FG_ECONFLICT]    = { "econflict", "the present state does not allow this", 409 },
	[FG_EGONE]        = { "egone", "it is no longer here", 410 },
	[FG_ETOOBIG]      = { "etoobig", "it is over the limit", 413 },
	[FG_EUNSUPPORTED] = { "eunsupported", "this format is not supported", 415 },
	[FG_EFORMAT]      = { "eformat", "the data is damaged", 422 },
	[FG_EMANY]        = { "emany", "tried too often; wait a while", 429 },
	[FG_EIO]          = { "eio", "the portal could not read or write its state; its log says why", 500 },
	[FG_EVERSION]     = { "eversion", "the state is of another version; run farmgate-admin migrate", 500 },
	[FG_EBUSY]        = { "ebusy", "the portal is busy; try again in a moment", 503 },
	[FG_ENOSPACE]     = { "enospace", "the portal's disk is nearly full; try again when there is room", 507 },
};

static _Thread_local enum fg_err detail_code;
static _Thread_local char        detail[512];

enum fg_err
fg_fail(enum fg_err code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	detail_code = code;
	return code;
}

const char *
fg_err_text(enum fg_err code)
{
	return code != FG_OK && code == detail_code && detail[0] != '\0' ? detail : table[code].message;
}

void
fg_err_clear(void)
{
	detail_code = FG_OK;
	detail[0] = '\0';
}

const char *
fg_err_name(enum fg_err code)
{
	return table[code].name;
}

int
fg_err_http(enum fg_err code)
{
	return table[code].http;
}
