/* tick: who does long work says how far it is, to whoever asked to be told. A part of the work has a part of the way. */
#ifndef FG_BASE_TICK_H
#define FG_BASE_TICK_H

#include <stddef.h>
#include <stdint.h>

struct fg_tick {
	void (*told)(void *ctx, int permille); /**< NULL: nobody asks; may be called often */
	void *ctx;
	int   from, to; /**< the part of the way, in thousandths of the whole */
};

/** `from` to `to` thousandths of another one's part. */
static inline struct fg_tick
fg_tick_part(const struct fg_tick *whole, int from, int to)
{
	const int way = whole->to - whole->from;

	return (struct fg_tick){ whole->told, whole->ctx, whole->from + way * from / 1000, whole->from + way * to / 1000 };
}

/** `done` of `total` of this part. More than all is all; all of nothing too. */
static inline void
fg_tick_tell(const struct fg_tick *tick, double done, double total)
{
	const double share = total > 0 && done < total ? done / total : 1;

	if (tick->told != NULL)
		tick->told(tick->ctx, tick->from + (int)((tick->to - tick->from) * share));
}

#endif
