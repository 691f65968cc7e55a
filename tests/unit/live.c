/* live: messages in, lists and pages out, summaries and their tallies, as tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fs.h"
#include "farm/tally.h"
#include "live/answer.h"
#include "live/board.h"
#include "live/bucket.h"
#include "live/deadline.h"
#include "live/redact.h"
#include "live/relay.h"
#include "live/room.h"
#include "live/wish.h"

static void
messages(void **state)
{
	static const struct {
		const char       *text;
		enum fg_wish_kind kind;
		const char       *job, *task;
	} rows[] = {
		{ "{\"body\":\"get_active_jobs\"}", FG_WISH_ACTIVE, "", "" },
		{ "{\"body\":\"get_recent_jobs\",\"more\":{\"a\":[1]}}", FG_WISH_RECENT, "", "" },
		{ " {\"body\":\"get_older_jobs\"}\n", FG_WISH_OLDER, "", "" },
		{ "{\"body\":\"get_job_details\",\"jobId\":\"65a1b2c3d4e5f60718293a01\"}", FG_WISH_DETAILS, "65a1b2c3d4e5f60718293a01", "" },
		{ "{\"body\":\"get_job_details\",\"jobId\":\"../x\"}", FG_WISH_DETAILS, "", "" },
		{ "{\"body\":\"get_job_details\",\"jobId\":\"a\\u0000b\"}", FG_WISH_DETAILS, "", "" },
		{ "{\"body\":\"get_job_details\",\"jobId\":\"undefined\"}", FG_WISH_NONE, "undefined", "" },
		{ "{\"body\":\"get_image_preview\",\"jobId\":\"7\",\"taskId\":\"10\"}", FG_WISH_PREVIEW, "7", "10" },
		{ "{\"body\":\"get_image_preview\",\"jobId\":7,\"taskId\":0}", FG_WISH_PREVIEW, "7", "0" },
		{ "{\"body\":\"get_image_preview\",\"jobId\":\"7\",\"taskId\":\"-1\"}", FG_WISH_PREVIEW, "7", "" },
		{ "{\"body\":\"delete_job\",\"jobId\":\"7\"}", FG_WISH_NONE, "7", "" },
		{ "{\"body\":7}", FG_WISH_NONE, "", "" },
		{ "[\"get_active_jobs\"]", FG_WISH_NONE, "", "" },
		{ "{\"body\":\"get_active_jobs\"", FG_WISH_NONE, "", "" },
		{ "{\"body\":\"get_active_jobs\xff\"}", FG_WISH_NONE, "", "" },
		{ "", FG_WISH_NONE, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fg_wish wish;

		fg_wish_read(&wish, rows[i].text, strlen(rows[i].text));
		if (wish.kind != rows[i].kind || strcmp(wish.job, rows[i].job) != 0 || strcmp(wish.task, rows[i].task) != 0)
			fail_msg("%s: kind %d, job %s, task %s", rows[i].text, wish.kind, wish.job, wish.task);
	}
}

static void
counts_follow_the_state(void **state)
{
	static const struct {
		const char *state;
		int64_t     total, done, running, counts[FG_COUNTS]; /* completed queued suspended rendering failed pending */
	} rows[] = {
		{ "splitting", 10, 0, 0, { 0, 0, 0, 0, 0, 10, 3 } },  { "active", 10, 2, 3, { 2, 5, 0, 3, 0, 0, 3 } },
		{ "active", 10, 9, 4, { 9, 0, 0, 1, 0, 0, 3 } },      { "paused", 10, 2, 1, { 2, 0, 7, 1, 0, 0, 3 } },
		{ "failed", 10, 4, 0, { 4, 0, 0, 0, 6, 0, 3 } },      { "cancelled", 10, 4, 0, { 4, 0, 6, 0, 0, 0, 3 } },
		{ "finished", 10, 10, 0, { 10, 0, 0, 0, 0, 0, 3 } },  { "composing", 10, 10, 0, { 10, 0, 0, 0, 0, 0, 3 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t counts[FG_COUNTS];

		fg_live_counts(counts, rows[i].state, rows[i].total, rows[i].done, rows[i].running, 3);
		assert_memory_equal(counts, rows[i].counts, sizeof(counts));
	}
}

static void
lists_go_by_age(void **state)
{
	static const struct {
		bool         going;
		int64_t      age_s;
		enum fg_list list;
	} rows[] = { { true, 900000, FG_LIST_ACTIVE }, { false, 172799, FG_LIST_RECENT }, { false, 172800, FG_LIST_OLDER },
		     { false, 483839, FG_LIST_OLDER }, { false, 483840, FG_NOWHERE } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(fg_live_list(&(struct fg_live_job){ .going = rows[i].going, .placed_ms = 1000000000000 }, 1000000000000 + rows[i].age_s * 1000), rows[i].list);
}

/* A board with another manager's jobs alone, in a state without projects. */
static void
boards_tell_differences(void **state)
{
	char               dir[] = "/tmp/farmgate-live-XXXXXX";
	struct fg_live_job job = { .key = "65a1b2c3d4e5f60718293a01", .name = "a \"b\"", .user = "jo", .going = true, .started_ms = 1795321088173,
		                   .placed_ms = 1795321088173, .counts = { 2, 9, 0, 1, 0, 0, 0 } };
	struct fg_buf      text = { 0 };
	struct fg_board    board;
	struct fg_db      *db;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(fg_db_open(&db, dir, FG_DB_EXCLUSIVE), FG_OK);
	assert_int_equal(fg_db_migrate(db, NULL), FG_OK);
	assert_int_equal(fg_board_open(&board, db, 0), FG_OK);
	fg_board_begin(&board);
	fg_board_foreign_put(&board, &job, 1795321088173);
	assert_true(fg_board_diff(&text, &board, FG_LIST_ACTIVE, 7));
	assert_string_equal(fg_buf_text(&text), "{\"type\":\"active_jobs\",\"update\":true,\"data\":{\"65a1b2c3d4e5f60718293a01\":{\"Name\":\"a \\\"b\\\"\",\"User\":\"jo\","
	                                        "\"EpochStarted\":1795321088.173,\"CompletedChunks\":2,\"QueuedChunks\":9,\"SuspendedChunks\":0,"
	                                        "\"RenderingChunks\":1,\"FailedChunks\":0,\"PendingChunks\":0,\"Errs\":0}}}");
	job.counts[FG_COMPLETED] = 3;
	job.counts[FG_QUEUED] = 8;
	fg_board_begin(&board);
	fg_board_foreign_put(&board, &job, 1795321088173);
	fg_buf_clear(&text);
	assert_true(fg_board_diff(&text, &board, FG_LIST_ACTIVE, 7));
	assert_string_equal(fg_buf_text(&text),
	                    "{\"type\":\"active_jobs\",\"update\":true,\"data\":{\"65a1b2c3d4e5f60718293a01\":{\"CompletedChunks\":3,\"QueuedChunks\":8}}}");
	fg_board_begin(&board);
	fg_board_foreign_put(&board, &job, 1795321088173);
	assert_false(fg_board_diff(&text, &board, FG_LIST_ACTIVE, 7));
	fg_board_foreign_begin(&board);
	fg_board_foreign_end(&board);
	fg_buf_clear(&text);
	assert_true(fg_board_diff(&text, &board, FG_LIST_ACTIVE, 7));
	assert_string_equal(fg_buf_text(&text), "{\"type\":\"active_jobs\",\"update\":false,\"data\":{}}");
	fg_buf_free(&text);
	fg_board_free(&board);
	fg_db_close(db);
	fg_fs_remove_tree(dir);
}

static struct fg_room_task *
two_tasks(const char *second)
{
	struct fg_room_task *tasks = fg_alloc(2 * sizeof(*tasks));

	tasks[0] = (struct fg_room_task){ .frames = "1-1", .progress = "100 %" };
	tasks[1] = (struct fg_room_task){ .id = 1, .frames = "2-2" };
	snprintf(tasks[1].progress, sizeof(tasks[1].progress), "%s", second);
	return tasks;
}

static void
rooms_tell_differences(void **state)
{
	char           fields[FG_ROOM_FIELDS][304] = { "n", "u", "s", "1", "0", "0", "1", "0", "0", "0", "e", "a" };
	struct fg_room room = { .key = "7" };

	(void)state;
	assert_true(fg_room_set(&room, fields, two_tasks("0 %"), 2));
	assert_false(fg_room_set(&room, fields, two_tasks("0 %"), 2));
	assert_true(fg_room_set(&room, fields, two_tasks("37 %"), 2));
	assert_string_equal(fg_buf_text(&room.diff), "{\"type\":\"job_details\",\"update\":true,\"data\":{\"tasks\":{\"1\":{\"TaskID\":1,\"Frames\":\"2-2\",\"Errs\":0,\"Prog\":\"37 %\"}}}}");
	assert_false(room.troubled);
	memcpy(fields[FG_ROOM_ERRORS], "1", 2);
	assert_true(fg_room_set(&room, fields, two_tasks("37 %"), 2));
	assert_string_equal(fg_buf_text(&room.diff), "{\"type\":\"job_details\",\"update\":true,\"data\":{\"job\":{\"Errors\":\"1\"}}}");
	assert_true(room.troubled);
	memcpy(fields[FG_ROOM_ERRORS], "2", 2);
	assert_true(fg_room_set(&room, fields, two_tasks("37 %"), 2));
	assert_false(room.troubled);
	fg_room_free(&room);
}

static void
durations(void **state)
{
	static const struct {
		int64_t     seconds;
		const char *text;
	} rows[] = { { 0, "00d 00h 00m 00s" }, { 190, "00d 00h 03m 10s" }, { 93784, "01d 02h 03m 04s" }, { -5, "00d 00h 00m 00s" }, { INT64_MAX, "99d 00h 00m 00s" } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[32];

		fg_room_duration(text, rows[i].seconds);
		assert_string_equal(text, rows[i].text);
	}
}

static void
lines_are_normalised(void **state)
{
	static const struct {
		const char *line, *normal;
	} rows[] = {
		{ "Error: cannot read '/home/jo/a/tex_01.png' at 0x7fff12", "Error: cannot read 'tex_#.png' at #" },
		{ "Frame 12 took 3.5 s", "Frame # took # s" },
		{ "C:\\Users\\jo\\x.blend broke", "x.blend broke" },
		{ "a/b stays, / too", "a/b stays, / too" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char normal[200];

		fg_tally_normalise(normal, sizeof(normal), rows[i].line);
		assert_string_equal(normal, rows[i].normal);
	}
	assert_true(fg_tally_print("broke at 0x12 in /a/b.c") == fg_tally_print("broke at 0x99 in /other/b.c"));
	assert_true(fg_tally_print("broke") != fg_tally_print("bent"));
}

static void
tallies_group(void **state)
{
	struct fg_tally            tally = { .count = 0 };
	const struct fg_tally_row *worst;

	(void)state;
	assert_null(fg_tally_worst(&tally));
	fg_tally_add(&tally, "Blender ran out of memory", 1, 4);
	fg_tally_add(&tally, "zorp 17 in /a/x.c", 2, 9);
	fg_tally_add(&tally, "zorp 18 in /b/x.c", 3, 2);
	fg_tally_add(&tally, "zorp 19 in /b/x.c", 3, 5);
	fg_tally_add(&tally, "MemoryError", 1, 6);
	worst = fg_tally_worst(&tally);
	assert_int_equal(tally.count, 2);
	assert_int_equal(tally.total, 5);
	assert_int_equal(worst->count, 3);
	assert_int_equal(worst->nworkers, 2);
	assert_int_equal(worst->frame_first, 2);
	assert_int_equal(worst->frame_last, 9);
	assert_string_equal(worst->line, "zorp 17 in /a/x.c");
}

static void
deadlines_paths(void **state)
{
	static const char map[] = "P:/=/mnt/p;p:/shots/=/srv/shots;//server/share=/mnt/share";
	static const struct {
		const char *folder, *file;
		int64_t     frame;
		const char *path; /* NULL: refused */
	} rows[] = {
		{ "P:\\a\\b", "x_####.exr", 7, "/mnt/p/a/b/x_0007.exr" },
		{ "p:/SHOTS/a/", "x.%04d.exr", 12345, "/srv/shots/a/x.12345.exr" },
		{ "\\\\server\\share\\a", "x#.png", 7, "/mnt/share//a/x7.png" },
		{ "/mnt/a", "##_####.png", 3, "/mnt/a/##_0003.png" },
		{ "/mnt/a", "still.png", 3, NULL },
		{ "/mnt/a", "x_%s_%n.png", 3, NULL },
		{ "/mnt/a", "x_####.png", -3, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fg_deadline_output output;
		char                      path[2048];

		snprintf(output.folder, sizeof(output.folder), "%s", rows[i].folder);
		snprintf(output.file, sizeof(output.file), "%s", rows[i].file);
		if (rows[i].path == NULL)
			assert_int_equal(fg_deadline_path(path, &output, rows[i].frame, map), FG_EINVAL);
		else {
			assert_int_equal(fg_deadline_path(path, &output, rows[i].frame, map), FG_OK);
			assert_string_equal(path, rows[i].path);
		}
	}
}

static void
deadlines_times_and_frames(void **state)
{
	static const struct {
		const char *text;
		int64_t     ms;
	} times[] = { { "2026-11-22T09:12:44Z", 1795338764000 }, { "2026-11-22T09:12:44.5+01:00", 1795335164500 }, { "2026-11-22T09:12:44-02:30", 1795347764000 },
		      { "0001-01-01T00:00:00Z", 0 }, { "yesterday", 0 }, { "", 0 } };
	static const struct {
		const char *text;
		int64_t     frame;
	} frames[] = { { "1-10", 1 }, { "-5--1", -5 }, { "3,7", 3 }, { "12", 12 } };
	int64_t frame;

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
		assert_int_equal(fg_deadline_time(times[i].text), times[i].ms);
	for (size_t i = 0; i < sizeof(frames) / sizeof(*frames); i++) {
		assert_true(fg_deadline_frame(&frame, frames[i].text));
		assert_int_equal(frame, frames[i].frame);
	}
	assert_false(fg_deadline_frame(&frame, "x"));
	assert_false(fg_deadline_frame(&frame, "1x"));
	assert_false(fg_deadline_frame(&frame, ""));
}

static void
never(void *ctx, const struct fg_live_job *job)
{
	(void)ctx;
	(void)job;
	fail();
}

/* Each list takes most of a kilobyte once it is parsed: a hostile service could take all memory with a few megabytes. */
static void
deadlines_lists_are_bounded(void **state)
{
	struct fg_buf text = { 0 };

	(void)state;
	for (int i = 0; i < 1300000; i++)
		fg_buf_str(&text, i == 0 ? "[" : "{},");
	fg_buf_str(&text, "{}]");
	assert_int_equal(fg_deadline_jobs(text.data, text.len, true, never, NULL), FG_EFORMAT);
	fg_buf_free(&text);
}

static void
redacts_each_kind(void **state)
{
	static const char *const names[] = { "ada", "farmhost" };
	static const char *const rows[][2] = {
		{ "read /home/jo/tex/a.png", "read ~/tex/a.png" },
		{ "/Users/jo/a and C:\\Users\\Jo\\b.blend", "~/a and C:~\\b.blend" },
		{ "/root/.cache", "~/.cache" },
		{ "mail jo.doe+x@studio.example now", "mail <mail> now" },
		{ "jo@box:22 refused", "<mail>:22 refused" },
		{ "to 192.168.1.17:8080 failed", "to <address>:8080 failed" },
		{ "from fe80::1:2 and 2001:db8::1.", "from <address> and <address>." },
		{ "at 12:34:56 frame 1.2.3", "at 12:34:56 frame 1.2.3" },
		{ "\\\\nas01\\proj and //nas01/proj", "\\\\<host>\\proj and //<host>/proj" },
		{ "Authorization: Bearer abc.def", "Authorization: Bearer <secret>" },
		{ "token=abc&x=1 password: hunter2", "token=<secret>&x=1 password: <secret>" },
		{ "key 12 pressed", "key 12 pressed" },
		{ "id 0123456789abcdef0123456789abcdef!", "id <secret>!" },
		{ "sk-Abcdefghijklmnopqrstuvwxyz0123456789", "<secret>" },
		{ "open C:\\\\Users\\\\jo\\\\b.blend", "open C:\\~\\\\b.blend" },
		{ "C:\\Users\\John Smith\\My Files\\a.png", "C:~\\My Files\\a.png" },
		{ "/Users/Jo is not at work", "~ is not at work" },
		{ "/home//jolene/a of Jolene", "~/a of <name>" },
		{ "00:1a:2B:3c:4d:5e up", "<address> up" },
		{ "AWS_SECRET_ACCESS_KEY=ab/cd access_token: x1", "AWS_SECRET_ACCESS_KEY=<secret> access_token: <secret>" },
		{ "render --password hunter2 --frames 3", "render --password <secret> --frames 3" },
		{ "GET https://jo:pw@nas01.example/x", "GET https://<secret>@nas01.example/x" },
		{ "Authorization: Basic am86cHc=\nok", "Authorization: Basic <secret>\nok" },
		{ "Authorization: ada am86cHc=", "Authorization: <secret>" },
		{ "Cookie: a=b; c=d\nok", "Cookie: <secret>\nok" },
		{ "Ada rendered on FARMHOST; canada too", "<name> rendered on <name>; canada too" },
		{ "Error: Out of memory at 0x7f12 in Cycles", "Error: Out of memory at 0x7f12 in Cycles" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fg_buf out = { 0 };

		fg_redact(&out, rows[i][0], names, 2);
		assert_string_equal(fg_buf_text(&out), rows[i][1]);
		fg_buf_free(&out);
	}
}

static void
answers(void **state)
{
#define DELTA(text) "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
	static const struct {
		const char *bytes, *words;
		bool        fine, whole;
	} rows[] = {
		{ ": hello\nevent: x\n" DELTA("It \\u00e9 ") DELTA("runs.\\u0007") "data: [DONE]\n", "It \xc3\xa9 runs. ", true, true },
		{ "data:{\"choices\":[{\"delta\":{\"content\":\"Yes.\"},\"finish_reason\":\"stop\"}]}\r\n", "Yes.", true, true },
		{ "{\n \"choices\": [\n  {\"message\": {\"content\": \"At once.\"}, \"finish_reason\": \"stop\"}]\n}\n", "At once.", true, true },
		{ DELTA("Cut off"), "Cut off", true, false },
		{ "data: [DONE]\n", "", true, false },
		{ "<html>no model</html>", "", true, false },
		{ DELTA("\xff"), "", false, false },
		{ "data: {\"choices\":[{]}\n", "", false, false },
		{ "data: {\"choices\":{\"delta\":7}}\ndata: {\"choices\":[]}\ndata: {\"choices\":[null]}\ndata: [DONE]\n", "", true, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (size_t piece = 1; piece < 200; piece += 37) {
			struct fg_answer answer = { 0 };
			struct fg_buf    words = { 0 };
			const size_t     len = strlen(rows[i].bytes);
			bool             fine = true;

			for (size_t at = 0; fine && at < len; at += piece)
				fine = fg_answer_take(&answer, &words, rows[i].bytes + at, len - at < piece ? len - at : piece);
			assert_int_equal(fine, rows[i].fine);
			assert_int_equal(fg_answer_end(&answer, &words) && fine, rows[i].whole);
			assert_string_equal(fg_buf_text(&words), rows[i].words);
			fg_buf_free(&words);
		}
}

static void
answers_end(void **state)
{
	struct fg_answer answer = { 0 };
	struct fg_buf    words = { 0 };
	int              taken = 0;

	(void)state;
	while (taken < 10000 && fg_answer_take(&answer, &words, DELTA("\xe2\x82\xac\xe2\x82\xac"), sizeof(DELTA("\xe2\x82\xac\xe2\x82\xac")) - 1))
		taken++;
	assert_in_range(taken, 1000, 9999);
	assert_int_equal(words.len, 2001); /* whole characters */
	assert_false(fg_answer_take(&answer, &words, "x", FG_ANSWER_BYTES));
	fg_answer_end(&answer, &words);
	answer = (struct fg_answer){ 0 };
	for (taken = 0; fg_answer_take(&answer, &words, "data: no end, ", 14); taken++)
		;
	assert_in_range(taken, 1, FG_ANSWER_LINE / 14);
	fg_answer_end(&answer, &words);
	fg_buf_free(&words);
}

static void
relay(void **state)
{
	static const struct {
		const char *bytes;
		size_t      len;
		bool        home, portal; /* may send it */
	} rows[] = {
		{ "", 0, false, false }, { "c\0\0\0", 4, false, false }, { "c\0\0\0\1", 5, true, true }, { "c\0\0\0\1x", 6, false, false },
		{ "o\0\0\0\1", 5, false, true }, { "n\0\0\0\1", 5, false, true }, { "n\0\0\0\0", 5, false, false }, { "m\0\0\1\0hm", 7, true, true },
		{ "m\0\0\1\0", 5, false, true }, { "+\0\0\1\0hm", 7, true, false }, { "x\0\0\1\0hm", 7, false, false },
	};
	struct fg_relay_frame frame;
	struct fg_bucket      bucket;
	unsigned char         head[FG_RELAY_HEAD];
	int                   taken = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(fg_relay_read(&frame, rows[i].bytes, rows[i].len, true), rows[i].home);
		assert_int_equal(fg_relay_read(&frame, rows[i].bytes, rows[i].len, false), rows[i].portal);
	}
	fg_relay_head(head, FG_RELAY_OPEN, 0x80000102u);
	assert_true(fg_relay_read(&frame, (const char *)head, sizeof(head), false));
	assert_int_equal(frame.viewer, 0x80000102u);
	assert_true(fg_relay_names("ann, bob", "bob"));
	assert_false(fg_relay_names("ann bobby", "bob"));
	assert_false(fg_relay_names("", "bob"));
	fg_bucket_fill(&bucket, 2, 1000);
	while (fg_bucket_take(&bucket, 2, 1000))
		taken++;
	assert_int_equal(taken, 20);
	assert_false(fg_bucket_take(&bucket, 2, 1400));
	assert_true(fg_bucket_take(&bucket, 2, 1500));
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(answers), cmocka_unit_test(answers_end), cmocka_unit_test(relay), cmocka_unit_test(messages), cmocka_unit_test(counts_follow_the_state), cmocka_unit_test(lists_go_by_age),
		                            cmocka_unit_test(boards_tell_differences), cmocka_unit_test(rooms_tell_differences), cmocka_unit_test(durations),
		                            cmocka_unit_test(lines_are_normalised), cmocka_unit_test(tallies_group), cmocka_unit_test(deadlines_paths),
		                            cmocka_unit_test(deadlines_times_and_frames), cmocka_unit_test(deadlines_lists_are_bounded), cmocka_unit_test(redacts_each_kind) };

	return cmocka_run_group_tests_name("live", tests, NULL, NULL);
}
