#include "launch/plan.h"

#include <stddef.h>

static const char *
misfit(const struct fg_want *want, const struct fg_capacity *room)
{
	if (want->cores > room->cores)
		return "waits for cores";
	if (want->memory_bytes > room->memory_bytes)
		return "waits for memory";
	if (want->licence >= 0 && room->licences[want->licence] < 0)
		return "the licence server does not say how many licences are free";
	if (want->licence >= 0 && want->licences > room->licences[want->licence])
		return "waits for licences";
	return NULL;
}

static void
take(struct fg_capacity *room, const struct fg_want *want)
{
	room->cores -= want->cores;
	room->memory_bytes -= want->memory_bytes;
	if (want->licence >= 0 && room->licences[want->licence] >= 0)
		room->licences[want->licence] = room->licences[want->licence] > want->licences ? room->licences[want->licence] - want->licences : 0;
}

void
fg_plan(bool *start, const char **why, const struct fg_want *wants, int count, const struct fg_capacity *free, const struct fg_capacity *total)
{
	struct fg_capacity now = *free, beside = { 0 }; /* beside: what the head of those who wait leaves of everything */
	bool               waiting = false;

	for (int i = 0; i < count; i++) {
		why[i] = misfit(&wants[i], &now);
		if (why[i] == NULL && waiting)
			why[i] = misfit(&wants[i], &beside) != NULL ? "waits behind the first of the queue" : NULL;
		start[i] = why[i] == NULL;
		if (start[i]) {
			take(&now, &wants[i]);
			if (waiting)
				take(&beside, &wants[i]);
		} else if (!waiting && misfit(&wants[i], total) == NULL) { /* one that can never run holds up nobody */
			waiting = true;
			beside = *total;
			take(&beside, &wants[i]);
		}
	}
}

int
fg_cores_choose(int *cores, int count, unsigned char *taken, int host_cores)
{
	int found = 0;

	for (int i = 0; i < host_cores && found < count; i++)
		if (!taken[i]) {
			taken[i] = 1;
			cores[found++] = i;
		}
	return found;
}
