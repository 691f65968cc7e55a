/* viewers: many WebSockets that follow a launcher and only count: viewers PORT PATH COUNT SECONDS prints "messages BYTES-OF-ALL MESSAGES-OF-ONE-A-SECOND". */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1024, ROOM = 1 << 20 };

struct viewer {
	int                fd;
	unsigned long long left; /* bytes of the present frame that are to come */
	unsigned char      head[10];
	int                have; /* bytes of a head */
};

static struct viewer      viewers[MOST];
static unsigned long long frames, bytes;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
join(const char *port, const char *path)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((unsigned short)strtol(port, NULL, 10)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int          fd = socket(AF_INET, SOCK_STREAM, 0);
	char               c;
	int                seen = 0;

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		exit(1);
	dprintf(fd, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path, port);
	while (seen < 4 && read(fd, &c, 1) == 1)
		seen = c == "\r\n\r\n"[seen] ? seen + 1 : 0;
	if (strstr(path, "socket.io") != NULL && write(fd, "\x81\x82\0\0\0\0" "40", 8) != 8)
		exit(1);
	return fd;
}

static int
head_size(const struct viewer *v)
{
	return v->have < 2 ? 2 : (v->head[1] & 127) == 126 ? 4 : (v->head[1] & 127) == 127 ? 10 : 2;
}

static void
count(struct viewer *v, const unsigned char *b, size_t n)
{
	bytes += n;
	while (n > 0) {
		if (v->left > 0) {
			const size_t part = v->left < n ? (size_t)v->left : n;

			v->left -= part;
			b += part;
			n -= part;
			continue;
		}
		v->head[v->have++] = *b++;
		n--;
		if (v->have < 2 || v->have < head_size(v))
			continue;
		v->left = v->head[1] & 127;
		if (v->have > 2)
			v->left = 0;
		for (int i = 2; i < v->have; i++)
			v->left = v->left << 8 | v->head[i];
		v->have = 0;
		frames++;
	}
}

int
main(int argc, char **argv)
{
	static unsigned char room[ROOM];
	const int            many = argc == 5 ? (int)strtol(argv[3], NULL, 10) : 0, poll = epoll_create1(0);
	const double         seconds = argc == 5 ? strtod(argv[4], NULL) : 0;
	double               until;

	if (many < 1 || many > MOST)
		return 2;
	for (int i = 0; i < many; i++) {
		viewers[i].fd = join(argv[1], argv[2]);
		epoll_ctl(poll, EPOLL_CTL_ADD, viewers[i].fd, &(struct epoll_event){ .events = EPOLLIN, .data.ptr = &viewers[i] });
	}
	puts("joined");
	fflush(stdout);
	for (until = now() + seconds; now() < until;) {
		struct epoll_event events[64];
		const int          n = epoll_wait(poll, events, 64, 100);

		for (int i = 0; i < n; i++) {
			struct viewer *v = events[i].data.ptr;
			const ssize_t  got = read(v->fd, room, sizeof(room));

			if (got <= 0)
				return 1;
			count(v, room, (size_t)got);
		}
	}
	printf("%llu %.1f\n", bytes, (double)frames / many / seconds);
	return 0;
}
