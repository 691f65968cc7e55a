/* load: many requests on a few kept connections, each with the next of many sessions' cookies; counts what the client received.
 *
 *   load PORT METHOD TARGET COOKIES REQUESTS CONNECTIONS WANTED
 *   COOKIES: a file, a cookie a line. WANTED: what a good answer holds. An answer's job id, if it has one, must be a new one.
 *   Prints one line: rate=… p50_ms=… p99_ms=… good=… distinct=…
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { COOKIE = 96, COOKIES_MAX = 1 << 16, ANSWER = 1 << 16, CONNECTIONS_MAX = 256 };

static char       (*cookies)[COOKIE];
static int          ncookies, port, requests;
static const char  *method, *target, *wanted;
static atomic_int   next, good;
static double      *times;
static long        *ids;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
dial(void)
{
	const struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int                fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
		perror("load: connect");
		exit(1);
	}
	return fd;
}

/* A whole answer, by its Content-Length. Returns its bytes, 0 when the line broke. */
static size_t
answer(int fd, char *bytes)
{
	size_t len = 0;

	for (;;) {
		const ssize_t got = read(fd, bytes + len, ANSWER - 1 - len);
		const char   *end, *length;

		if (got <= 0)
			return 0;
		len += (size_t)got;
		bytes[len] = '\0';
		if ((end = strstr(bytes, "\r\n\r\n")) != NULL && (length = strcasestr(bytes, "content-length:")) != NULL &&
		    len >= (size_t)(end + 4 - bytes) + strtoul(length + 15, NULL, 10))
			return len;
	}
}

static void *
work(void *unused)
{
	char  request[1024], *bytes = malloc(ANSWER);
	int   fd = dial();

	for (int i; (i = atomic_fetch_add(&next, 1)) < requests;) {
		const double began = now();
		const char  *id;
		const int    len = snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nCookie: %s\r\n%s\r\n", method, target, port,
		                            cookies[i % ncookies], strcmp(method, "POST") == 0 ? "Content-Length: 0\r\n" : "");

		if (write(fd, request, (size_t)len) != len || answer(fd, bytes) == 0) {
			close(fd);
			fd = dial();
			continue;
		}
		times[i] = now() - began;
		if (strstr(bytes, wanted) != NULL)
			atomic_fetch_add(&good, 1);
		if ((id = strstr(bytes, "<job id=\"")) != NULL)
			ids[i] = strtol(id + 9, NULL, 10);
	}
	close(fd);
	free(bytes);
	return unused;
}

static int
by_time(const void *a, const void *b)
{
	return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static int
by_id(const void *a, const void *b)
{
	return (*(const long *)a > *(const long *)b) - (*(const long *)a < *(const long *)b);
}

int
main(int argc, char **argv)
{
	pthread_t threads[CONNECTIONS_MAX];
	int       connections, distinct = 0;
	double    began, took;
	FILE     *file;

	if (argc != 8 || (file = fopen(argv[4], "r")) == NULL)
		return fputs("load PORT METHOD TARGET COOKIES REQUESTS CONNECTIONS WANTED\n", stderr), 2;
	port = (int)strtol(argv[1], NULL, 10), method = argv[2], target = argv[3], wanted = argv[7];
	requests = (int)strtol(argv[5], NULL, 10), connections = (int)strtol(argv[6], NULL, 10);
	cookies = calloc(COOKIES_MAX, COOKIE);
	while (ncookies < COOKIES_MAX && fgets(cookies[ncookies], COOKIE, file) != NULL)
		cookies[ncookies][strcspn(cookies[ncookies], "\n")] = '\0', ncookies++;
	fclose(file);
	if (ncookies == 0 || requests < 1 || connections < 1 || connections > CONNECTIONS_MAX)
		return fputs("load: no cookies, or numbers out of range\n", stderr), 2;
	times = calloc((size_t)requests, sizeof(*times));
	ids = calloc((size_t)requests, sizeof(*ids));
	began = now();
	for (int i = 0; i < connections; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	for (int i = 0; i < connections; i++)
		pthread_join(threads[i], NULL);
	took = now() - began;
	qsort(times, (size_t)requests, sizeof(*times), by_time);
	qsort(ids, (size_t)requests, sizeof(*ids), by_id);
	for (int i = 0; i < requests; i++)
		distinct += ids[i] != 0 && (i == 0 || ids[i] != ids[i - 1]);
	printf("rate=%.1f p50_ms=%.2f p99_ms=%.2f good=%d distinct=%d\n", requests / took, times[requests / 2] * 1e3, times[requests * 99 / 100] * 1e3, good, distinct);
	return 0;
}
