/* log: one event, one line, key=value, to stderr. People appear as ids; passwords, keys and file contents never. */
#ifndef FG_BASE_LOG_H
#define FG_BASE_LOG_H

enum fg_log_level { FG_LOG_DEBUG, FG_LOG_INFO, FG_LOG_WARN, FG_LOG_ERROR };

/** Name of the program in each line ("compositor"), and the request id of what is being done (NULL for none). Both texts must live on.
 * Where systemd keeps stderr in its journal and gave a folder for logs (LogsDirectory=), each line goes to FOLDER/NAME.log, too: fg_log_folder. */
void fg_log_program(const char *name);
const char *fg_log_folder(void); /**< NULL: none */
void fg_log_request(const char *id);

/** Lines below this level are dropped; info at the start. */
void fg_log_level(enum fg_log_level level);

/** `fg_log(FG_LOG_INFO, "task.lent", "lease=%" PRId64 " task=%" PRId64, lease, task);`
 * The line goes out with one write. Control characters in it are written as `?`. A value with blanks wants fg_log_quote. */
void fg_log(enum fg_log_level level, const char *event, const char *format, ...) __attribute__((format(printf, 3, 4)));

/** A text as a quoted value: `fg_log(…, "why=%s", fg_log_quote(why).text)`. Cut to 255 bytes, quotes and control characters replaced. */
struct fg_log_quoted {
	char text[264];
};
struct fg_log_quoted fg_log_quote(const char *text);

#endif
