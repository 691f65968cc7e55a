/* endpoint: what every FastCGI program does around its one handler. */
#ifndef FG_HTTP_ENDPOINT_H
#define FG_HTTP_ENDPOINT_H

#include "http/request.h"
#include "http/response.h"

/** Opens the farm ($FARMGATE_CONFIG), accepts, checks method, who comes and parameters against the tables, calls the handler, turns an fg_err
 * into the one answer that belongs to it, writes the log line, and leaves on SIGTERM after the request at hand. Returns main's exit status. */
int fg_http_main(const struct fg_endpoint *endpoint);

#endif
