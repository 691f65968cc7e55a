#include "launch/track.h"

void
fg_track_add(struct fg_track *track, double elapsed_s, double percent)
{
	if (track->count == 0)
		*track = (struct fg_track){ .count = 1, .every_s = 1 };
	if (!(elapsed_s >= track->elapsed_s[track->count - 1] + track->every_s))
		return;
	if (track->count == FG_TRACK_MAX) {
		for (int i = 0; i < FG_TRACK_MAX / 2; i++) {
			track->elapsed_s[i] = track->elapsed_s[2 * i];
			track->percent[i] = track->percent[2 * i];
		}
		track->count /= 2;
		track->every_s *= 2;
	}
	track->elapsed_s[track->count] = (float)elapsed_s;
	track->percent[track->count++] = (float)percent;
}
