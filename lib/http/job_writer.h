/* job_writer: the answers of request_job, as every generation of stock clients reads them. */
#ifndef FG_HTTP_JOB_WRITER_H
#define FG_HTTP_JOB_WRITER_H

#include "farm/job.h"
#include "http/endpoint.h"

enum fg_err fg_http_job(struct fg_req *req, const struct fg_job *job); /**< FG_EIO when the client is gone */
enum fg_err fg_http_no_job(struct fg_req *req, int status);

#endif
