#include "live_relay.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"

enum { WISHES_MOST = 16384 };

static void
free_seat(struct fg_seat *seat)
{
	for (int i = 0; i < seat->npieces; i++)
		fg_message_release(seat->pieces[i]);
	fg_buf_free(&seat->wishes);
	free(seat);
}

/* --- homes */

struct fg_relay *
fg_relay_find(const struct fg_relays *relays, const char *name)
{
	struct fg_relay *relay = relays->first;

	while (relay != NULL && strcmp(relay->name, name) != 0)
		relay = relay->next;
	return relay;
}

struct fg_relay *
fg_relay_of(const struct fg_relays *relays, const void *link)
{
	struct fg_relay *relay = relays->first;

	while (relay != NULL && relay->link != link)
		relay = relay->next;
	return relay;
}

struct fg_relay *
fg_relay_open(struct fg_relays *relays, const char *name, int64_t user, void *link)
{
	struct fg_relay *before = fg_relay_find(relays, name), *relay;

	if (before != NULL) { /* it may be half dead, and the new one is the same farm */
		void *old = before->link;

		fg_relay_close(relays, before);
		relays->kick(old);
	}
	if (relays->count >= FG_RELAYS)
		return NULL;
	relay = fg_alloc(sizeof(*relay));
	*relay = (struct fg_relay){ .user = user, .link = link, .next = relays->first };
	memcpy(relay->name, name, strnlen(name, sizeof(relay->name) - 1));
	relays->first = relay;
	relays->count++;
	fg_log(FG_LOG_INFO, "relay.open", "name=%s", fg_log_quote(relay->name).text);
	return relay;
}

void
fg_relay_close(struct fg_relays *relays, struct fg_relay *relay)
{
	struct fg_relay **at = &relays->first;

	while (*at != NULL && *at != relay)
		at = &(*at)->next;
	if (*at == NULL)
		return; /* a newer one took its place */
	*at = relay->next;
	relays->count--;
	fg_log(FG_LOG_INFO, "relay.close", "name=%s", fg_log_quote(relay->name).text);
	for (int i = 0; i < FG_RELAY_SEATS; i++) {
		struct fg_seat *seat = relay->seats[i];

		if (seat == NULL)
			continue;
		seat->relay = NULL;
		if (seat->link != NULL)
			relays->kick(seat->link);
		else
			free_seat(seat);
	}
	free(relay);
}

static struct fg_seat **
seat_of(struct fg_relay *relay, uint32_t number)
{
	for (int i = 0; i < FG_RELAY_SEATS; i++)
		if (relay->seats[i] != NULL && relay->seats[i]->number == number)
			return &relay->seats[i];
	return NULL;
}

bool
fg_relay_hear(struct fg_relays *relays, struct fg_relay *relay, const char *bytes, size_t len)
{
	struct fg_relay_frame frame;
	struct fg_seat      **seat, *who;

	if (!fg_relay_read(&frame, bytes, len, true))
		return false;
	if ((seat = seat_of(relay, frame.viewer)) == NULL || (*seat)->link == NULL)
		return true;
	who = *seat;
	if (frame.kind == FG_RELAY_CLOSE) {
		who->over = true;
	} else {
		if (who->npieces + who->passed >= FG_RELAY_WINDOW)
			return false;
		who->last[who->npieces] = frame.kind == FG_RELAY_LAST;
		who->pieces[who->npieces++] = fg_message_new(frame.bytes, frame.len);
	}
	relays->kick(who->link);
	return true;
}

static void
put(struct fg_buf *out, enum fg_relay_kind kind, uint32_t viewer, const char *bytes, size_t len)
{
	unsigned char head[FG_RELAY_HEAD];

	fg_relay_head(head, kind, viewer);
	fg_buf_add(out, head, sizeof(head));
	fg_buf_add(out, bytes, len);
}

static void
put_wish(struct fg_buf *out, struct fg_seat *seat)
{
	const unsigned char *length = (const unsigned char *)seat->wishes.data;
	const size_t         len = (size_t)length[0] << 8 | length[1], whole = len + 2;

	put(out, FG_RELAY_SAY, seat->number, seat->wishes.data + 2, len);
	memmove(seat->wishes.data, seat->wishes.data + whole, seat->wishes.len - whole);
	seat->wishes.len -= whole;
}

/* What home is to hear of this one; false nothing. */
static bool
next_of(struct fg_buf *out, struct fg_seat **at)
{
	struct fg_seat *seat = *at;

	if (seat->link == NULL) {
		put(out, FG_RELAY_CLOSE, seat->number, "", 0);
		free_seat(seat);
		*at = NULL;
	} else if (!seat->told) {
		put(out, FG_RELAY_OPEN, seat->number, "", 0);
		seat->told = true;
	} else if (seat->wishes.len > 0) {
		put_wish(out, seat);
	} else if (seat->passed > 0) {
		put(out, FG_RELAY_NEXT, seat->number, "", 0);
		seat->passed--;
	} else {
		return false;
	}
	return true;
}

bool
fg_relay_next(struct fg_buf *out, struct fg_relay *relay)
{
	fg_buf_clear(out);
	for (int i = 0; i < FG_RELAY_SEATS; i++) {
		const int at = (relay->turn + i) % FG_RELAY_SEATS;

		if (relay->seats[at] != NULL && next_of(out, &relay->seats[at])) {
			relay->turn = at + 1;
			return true;
		}
	}
	return false;
}

/* --- their viewers */

struct fg_seat *
fg_seat_take(struct fg_relay *relay, int64_t rate, void *link)
{
	struct fg_seat *seat;
	int             at = 0;

	while (at < FG_RELAY_SEATS && relay->seats[at] != NULL)
		at++;
	if (at == FG_RELAY_SEATS || relay->numbers == UINT32_MAX)
		return NULL;
	seat = fg_alloc(sizeof(*seat));
	*seat = (struct fg_seat){ .relay = relay, .number = ++relay->numbers, .link = link };
	fg_bucket_fill(&seat->bucket, rate, fg_steady_ms());
	relay->seats[at] = seat;
	return seat;
}

void
fg_seat_leave(struct fg_relays *relays, struct fg_seat *seat)
{
	struct fg_relay *relay = seat->relay;

	seat->link = NULL;
	if (relay == NULL) {
		free_seat(seat);
	} else if (!seat->told) {
		*seat_of(relay, seat->number) = NULL;
		free_seat(seat);
	} else {
		relays->kick(relay->link); /* the seat is free when home knows */
	}
}

bool
fg_seat_hear(struct fg_relays *relays, struct fg_seat *seat, const char *bytes, size_t len, int64_t rate)
{
	const unsigned char length[2] = { (unsigned char)(len >> 8), (unsigned char)len };

	if (!fg_bucket_take(&seat->bucket, rate, fg_steady_ms()) || seat->wishes.len + len + 2 > WISHES_MOST)
		return false;
	fg_buf_add(&seat->wishes, length, 2);
	fg_buf_add(&seat->wishes, bytes, len);
	if (seat->relay != NULL)
		relays->kick(seat->relay->link);
	return true;
}

struct fg_message *
fg_seat_next(struct fg_relays *relays, struct fg_seat *seat, bool *first, bool *last)
{
	struct fg_message *piece = seat->npieces > 0 ? seat->pieces[0] : NULL;

	if (piece == NULL)
		return NULL;
	*first = !seat->within;
	*last = seat->last[0];
	seat->within = !*last;
	seat->npieces--;
	memmove(seat->pieces, seat->pieces + 1, (size_t)seat->npieces * sizeof(*seat->pieces));
	memmove(seat->last, seat->last + 1, (size_t)seat->npieces * sizeof(*seat->last));
	seat->passed++;
	if (seat->relay != NULL)
		relays->kick(seat->relay->link);
	return piece;
}
