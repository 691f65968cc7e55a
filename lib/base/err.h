/* err: the one error vocabulary. A function returns FG_OK or the code of what went wrong; what exactly it was stands in the
 * thread's detail text until the next failure, so that a message reaches the user without being passed through every layer. */
#ifndef FG_BASE_ERR_H
#define FG_BASE_ERR_H

enum fg_err {
	FG_OK = 0,
	FG_EINVAL,      /**< a value is not allowed: 400 */
	FG_EAUTH,       /**< not logged in, or a wrong name, key or password: 401 */
	FG_EFORBIDDEN,  /**< known, but without the right: 403 */
	FG_ENOTFOUND,   /**< no such thing: 404 */
	FG_EMETHOD,     /**< method not served here: 405 */
	FG_ETIMEOUT,    /**< the other side was too slow: 408 */
	FG_ECONFLICT,   /**< the state does not allow it: 409 */
	FG_EGONE,       /**< was here, is no more: 410 */
	FG_ETOOBIG,     /**< over a limit: 413 */
	FG_EUNSUPPORTED,/**< a format or kind that we don't take: 415 */
	FG_EFORMAT,     /**< bytes that are not what they claim to be: 422 */
	FG_EMANY,       /**< tried too often; answered at once: 429 */
	FG_EIO,         /**< reading, writing or the store failed: 500 */
	FG_EVERSION,    /**< the state is of another schema version: 500 */
	FG_EBUSY,       /**< store locked for too long, or all places taken: 503 */
	FG_ENOSPACE,    /**< below the disk reserve: 507 */
	FG_ERR_COUNT
};

/** Remember a detail for this failure and return its code: `return fg_fail(FG_EINVAL, "frame %d is negative", frame);`
 * The text is one line for users: what is wrong and what to do. At most 511 bytes are kept. */
enum fg_err fg_fail(enum fg_err code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The text for a user: the detail, when the last failure of this thread had this code, else the table's message. */
const char *fg_err_text(enum fg_err code);

/** Forget the detail (at the start of a request). */
void fg_err_clear(void);

/** Short name of a code for logs: "einval". */
const char *fg_err_name(enum fg_err code);

/** The HTTP status that belongs to a code. */
int fg_err_http(enum fg_err code);

#endif
