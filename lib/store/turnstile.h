/* turnstile: where the writers of one state wait for each other, asleep; the one in front is woken the moment the one before it is done.
 *
 * It only saves waiting writers from asking SQLite's lock again and again: that lock alone decides who writes, so who can't have a turnstile, or has waited long enough,
 * goes on without. A mutex in a shared page: free of system calls while nobody waits; a holder that is killed leaves it to the next one (robust). The page
 * is the file state/turnstile-BOOT, named after the boot, for a lock of an earlier one has nobody to free it. */
#ifndef FG_STORE_TURNSTILE_H
#define FG_STORE_TURNSTILE_H

#include <stdbool.h>
#include <stdint.h>

struct fg_turnstile;

/** NULL when there can't be one. Close with fg_turnstile_close. */
struct fg_turnstile *fg_turnstile_open(const char *state_dir);
void                 fg_turnstile_close(struct fg_turnstile *turnstile); /**< NULL is fine */

/** Wait for the turn, until `until_ms` (fg_steady_ms) at most. True: it is ours, leave it. */
bool fg_turnstile_enter(struct fg_turnstile *turnstile, int64_t until_ms);
void fg_turnstile_leave(struct fg_turnstile *turnstile);

#endif
