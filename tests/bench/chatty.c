/* chatty: a solver that prints as many lines a second as its input says (`$ lines N`), until it is stopped. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double
wanted(const char *path)
{
	double rate = 0;
	char   line[256];
	FILE  *f = fopen(path, "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		sscanf(line, "$ lines %lf", &rate);
	if (f != NULL)
		fclose(f);
	return rate;
}

int
main(int argc, char **argv)
{
	const double    rate = wanted(argc > 1 && strncmp(argv[1], "i=", 2) == 0 ? argv[1] + 2 : "/dev/null");
	struct timespec beat = { .tv_nsec = (long)(1e9 / (rate > 0 ? rate : 1)) };

	printf("     |  Livermore  Software  Technology  Corporation   |\n termination time          =   1.0000E+09\n");
	fflush(stdout);
	for (long cycle = 1;; cycle++) {
		if (rate <= 0)
			pause();
		printf("%10ld t %.4E dt 9.00E-07 %s\n", cycle, (double)cycle, cycle % 10 == 0 ? "write d3plot file            11/22/26 04:40:01" : "flush");
		fflush(stdout);
		nanosleep(&beat, NULL);
	}
}
