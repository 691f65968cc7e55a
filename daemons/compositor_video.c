/* compositor_video: the frames of an animation as H.264 in an MP4, or in the container that its format names, by the ffmpeg program. Frames are decoded here, by the checked readers of
 * lib/image, and go to ffmpeg through a pipe as 8-bit PNG, one after another: it opens no file but the one it writes, numbering and formats
 * are nothing to it, and no frame lies on disk twice. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "compositor_make.h"
#include "image/thumb.h"

/* Odd sizes get a black line at the right and the bottom: yuv420p has pixels in pairs. */
#define FILTER "pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"

struct encoder {
	pid_t pid;
	int   fd; /* frames go in here */
};

/* What x264 keeps in memory grows with threads, frames looked ahead and the frame: 4096 × 2160 fits into the default of 2 GiB this way
 * (1.0 GiB measured; with 8 threads and its own 40 frames ahead it does not). Much larger ones may want compositor_memory_bytes raised. */
static const struct effort {
	int64_t     pixels; /* of a frame, at most */
	const char *preset, *threads, *ahead;
} efforts[] = { { 1920 * 1200, "medium", "8", "rc-lookahead=40" }, { 4096 * 2304, "medium", "4", "rc-lookahead=10" }, { INT64_MAX, "superfast", "1", "rc-lookahead=0" } };

static const struct effort *
effort_of(const struct fg_project *project)
{
	const struct effort *effort = efforts;

	while ((int64_t)project->width * project->height > effort->pixels)
		effort++;
	return effort;
}

enum { CODEC_WORDS = 20 };

/* What ffmpeg is told of a film that is no MP4: as Blender's own writers of these names, or their nearest. */
static const struct film {
	const char *format;
	const char *args[CODEC_WORDS];
} films[] = {
	{ "avi-raw", { "-vf", "format=bgr24", "-c:v", "rawvideo", "-f", "avi" } },
	{ "avi-jpeg", { "-vf", "scale=out_range=pc,format=yuvj420p", "-c:v", "mjpeg", "-q:v", "3", "-f", "avi" } },
	{ "mpeg", { "-vf", FILTER, "-r", "25", "-c:v", "mpeg2video", "-q:v", "3", "-f", "mpeg" } },
	{ "quicktime", { "-vf", FILTER, "-c:v", "libx264", "-preset", "superfast", "-threads", "2", "-crf", "18", "-movflags", "+faststart", "-f", "mov" } },
};

static const char *const *
film_args(const struct fg_project *project)
{
	for (size_t i = 0; i < sizeof(films) / sizeof(*films); i++)
		if (strcmp(films[i].format, project->format) == 0)
			return films[i].args;
	return NULL;
}

static void
run_ffmpeg(const struct fg_make *make, const char *rate, const char *to)
{
	const char          *program = make->farm->settings.ffmpeg;
	const struct effort *effort = effort_of(&make->project);
	const rlim_t         most = (rlim_t)make->farm->settings.compositor_memory_bytes;
	const char *const    in[] = { program, "-nostdin", "-hide_banner", "-loglevel", "error", "-nostats", "-y", "-protocol_whitelist", "pipe",
		                      "-f", "image2pipe", "-framerate", rate, "-threads", "1", "-c:v", "png", "-i", "pipe:0", "-an", NULL };
	const char *const    mp4[] = { "-vf", FILTER, "-c:v", "libx264", "-preset", effort->preset, "-threads", effort->threads, "-x264-params", effort->ahead,
		                       "-crf", "18", "-pix_fmt", "yuv420p", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
		                       "-color_range", "tv", "-movflags", "+faststart", "-f", "mp4", NULL };
	const char *const   *codec = film_args(&make->project);
	const char          *args[64];
	int                  n = 0;
	const char *const environment[] = { "LC_ALL=C", "PATH=/usr/bin:/bin", NULL };

	for (const char *const *word = in; *word != NULL; word++)
		args[n++] = *word;
	for (const char *const *word = codec != NULL ? codec : mp4; *word != NULL; word++)
		args[n++] = *word;
	args[n++] = to;
	args[n] = NULL;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_DATA, &(struct rlimit){ .rlim_cur = most, .rlim_max = most }); /* its own, also where the maker has none */
	signal(SIGPIPE, SIG_DFL);
	execve(program, (char *const *)args, (char *const *)environment);
	dprintf(STDERR_FILENO, "could not start %s: %s\n", program, strerror(errno));
	_exit(127);
}

static enum fg_err
encoder_start(struct encoder *out, const struct fg_make *make, const char *to)
{
	char url[PATH_MAX + 8], rate[64];
	int  ends[2];

	*out = (struct encoder){ .pid = -1, .fd = -1 };
	snprintf(url, sizeof(url), "file:%s", to);
	snprintf(rate, sizeof(rate), "%d/%d", make->project.fps_num, make->project.fps_den);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return fg_fail(FG_EIO, "could not make a pipe to ffmpeg: %s", strerror(errno));
	if ((out->pid = fork()) == 0) {
		dup2(ends[0], STDIN_FILENO);
		dup2(STDERR_FILENO, STDOUT_FILENO);
		run_ffmpeg(make, rate, url);
	}
	close(ends[0]);
	out->fd = ends[1];
	if (out->pid < 0) {
		close(ends[1]);
		return fg_fail(FG_EIO, "could not start ffmpeg: %s", strerror(errno));
	}
	return FG_OK;
}

/* Close its input, wait for its end. FG_EIO when it failed; what it said stands on stderr. */
static enum fg_err
encoder_end(struct encoder *encoder)
{
	int status = 0;

	close(encoder->fd);
	while (waitpid(encoder->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		return fg_fail(FG_EIO, "ffmpeg died of signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) != 0)
		return fg_fail(FG_EIO, "ffmpeg could not make the video (exit status %d); a large one may need more compositor_memory_bytes", WEXITSTATUS(status));
	return FG_OK;
}

static enum fg_err
send_frame(int to, struct fg_make *make, int frame, const char *ext)
{
	char        name[FG_SPOOL_NAME];
	int         fd = -1;
	enum fg_err err = fg_make_frame_name(name, make, frame, ext);

	if (err == FG_OK && (err = fg_make_open(&fd, make, name)) == FG_OK)
		err = fg_display_png(to, fd, &(struct fg_thumb){ 0 });
	if (fd >= 0)
		close(fd);
	return err;
}

/* The next whole frame after `after`; FG_ENOTFOUND at the end. */
static enum fg_err
next_frame(int *frame, char ext[8], struct fg_make *make, int after)
{
	struct fg_rows rows;
	enum fg_err    err = fg_rows_first(&rows, make->farm->db, FG_SQL_FRAME_LIST,
	                                   FG_BINDS(FG_I("project", make->project.id), FG_I("after", after), FG_I("limit", 1)));

	if (err == FG_OK) {
		*frame = (int)fg_rows_int(&rows, 0);
		fg_rows_copy(&rows, 1, ext, 8);
	}
	fg_rows_end(&rows);
	return err;
}

/* All frames that the project asks for, in order; one that isn't there is said by its number. */
static enum fg_err
send_frames(int to, struct fg_make *make)
{
	const struct fg_project *p = &make->project;
	int64_t                  sent = 0;

	for (int64_t at = p->frame_start; at <= p->frame_end; at += p->frame_step) {
		const int   wanted = (int)at;
		char        ext[8];
		int         frame = -1;
		enum fg_err err = next_frame(&frame, ext, make, wanted - 1);

		if ((err == FG_OK && frame != wanted) || err == FG_ENOTFOUND)
			return fg_fail(FG_ENOTFOUND, "frame %d is missing", wanted);
		if (err != FG_OK || (err = send_frame(to, make, frame, ext)) != FG_OK)
			return err;
		fg_make_progress(make, ++sent, p->frames_total);
	}
	return FG_OK;
}

static enum fg_err
encode(struct fg_make *make, const char *to)
{
	struct encoder encoder;
	struct fg_buf  why = { 0 };
	enum fg_err    err, ended;

	if ((err = encoder_start(&encoder, make, to)) != FG_OK)
		return err;
	signal(SIGPIPE, SIG_IGN); /* an ffmpeg that died is seen by its status */
	if ((err = send_frames(encoder.fd, make)) != FG_OK)
		fg_buf_str(&why, fg_err_text(err));
	ended = encoder_end(&encoder);
	/* A missing frame is the cause of what ffmpeg says then; a broken pipe is its effect. */
	if (ended == FG_OK || (err != FG_OK && err != FG_EIO && err != FG_ENOSPACE))
		ended = err == FG_OK ? FG_OK : fg_fail(err, "%s", why.data);
	fg_buf_free(&why);
	return ended;
}

enum fg_err
fg_make_video(struct fg_make *make)
{
	struct fg_spool_file file = FG_SPOOL_NO_FILE;
	char                 name[FG_SPOOL_NAME];
	enum fg_err          err = fg_make_create(&file, make);

	if (err == FG_OK && (err = encode(make, file.path)) == FG_OK) {
		const struct fg_project_format *format = fg_project_format(make->project.format);

		snprintf(make->ext, sizeof(make->ext), "%s", format != NULL && format->film != NULL ? format->film : "mp4");
		fg_spool_result(name, make->project.id, make->ext);
		err = fg_spool_commit(&file, &make->farm->spool, name);
	}
	fg_spool_discard(&file);
	return err;
}
