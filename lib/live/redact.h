/* redact: a log before it leaves this machine: what names people, machines, places or secrets is replaced; what says what went wrong stays.
 * Test: tests/unit/live.c, a row for each kind. */
#ifndef FG_LIVE_REDACT_H
#define FG_LIVE_REDACT_H

#include "base/buf.h"

/** Append `text` with these replaced: homes (/home/x, /Users/x, C:\Users\x → ~), e-mail addresses and user@host (<mail>), IPv4 and IPv6 addresses
 * (<address>), Windows shares' hosts (\\host → \\<host>), secrets (what follows bearer, token, key, password, secret and `=`, `:` or a blank; hexadecimal and
 * base64 of 32 letters or more: <secret>), and each of the words in `names` (<name>), letter case aside. */
void fg_redact(struct fg_buf *out, const char *text, const char *const *names, int nnames);

#endif
