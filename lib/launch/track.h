/* track: how far a run was when, in few points: when there is no more room every other one goes, and later ones come half as often. */
#ifndef FG_LAUNCH_TRACK_H
#define FG_LAUNCH_TRACK_H

enum { FG_TRACK_MAX = 256 };

/** A zeroed one is empty. */
struct fg_track {
	int    count;
	double every_s; /**< the least time between two points */
	float  elapsed_s[FG_TRACK_MAX], percent[FG_TRACK_MAX];
};

/** A run begins at 0 s with 0 %; then each point that is later than the last one by every_s. */
void fg_track_add(struct fg_track *track, double elapsed_s, double percent);

#endif
