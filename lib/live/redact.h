/* redact: a log before it leaves this machine: what names people, machines, places or secrets is replaced; what says what went wrong stays.
 * Test: tests/unit/live.c, a row for each kind. */
#ifndef FG_LIVE_REDACT_H
#define FG_LIVE_REDACT_H

#include "base/buf.h"

enum { FG_REDACT_NAMES = 16 };

/** Append `text` with these replaced: homes (/home/x, /Users/x, C:\Users\x → ~) and the names of their owners elsewhere (<name>), e-mail addresses and user@host (<mail>), IPv4, IPv6 and MAC addresses
 * (<address>), Windows shares' hosts (\\host → \\<host>), secrets (what follows bearer, or token, key, password, secret and the like and `=` or `:`, or such an
 * option and a blank; the headers Authorization and Cookie; name and password in an address; hexadecimal and base64 of 32 letters or more: <secret>), and each of
 * the words in `names` (<name>; FG_REDACT_NAMES at most), letter case aside. */
void fg_redact(struct fg_buf *out, const char *text, const char *const *names, int nnames);

#endif
