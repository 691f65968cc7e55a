/* launch: what output means, what may run, what stays inside, who is next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fs.h"
#include "launch/beneath.h"
#include "launch/clean.h"
#include "launch/plan.h"
#include "launch/stopfile.h"
#include "launch/template.h"
#include "launch/track.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static struct fg_launch_config config;
static char                    top[] = "/tmp/farmgate-launch-XXXXXX";

static const char *
path(const char *name)
{
	static char out[8][400];
	static int  next;

	snprintf(out[next %= 8], sizeof(out[0]), "%s/%s", top, name);
	return out[next++];
}

static void
put(const char *name, const char *text)
{
	assert_int_equal(fg_fs_replace(path(name), text, strlen(text), 0644), FG_OK);
}

static void
rules_of(struct fg_rules *rules, const char *name)
{
	char        file[600];
	const char *source = getenv("top_srcdir");

	snprintf(file, sizeof(file), "%s/share/launch/%s.rules", source != NULL ? source : ".", name);
	assert_int_equal(fg_rules_file(rules, file), FG_OK);
}

static int
make_folders(void **state)
{
	struct fg_buf text = { 0 };
	const char   *source = getenv("top_srcdir");
	char          rules[600];

	(void)state;
	assert_non_null(mkdtemp(top));
	mkdir(path("runs"), 0755);
	mkdir(path("runs/a"), 0755);
	mkdir(path("runs2"), 0755);
	mkdir(path("secret"), 0755);
	put("runs/a/main.k", "*KEYWORD\n*INCLUDE\nmesh.d3part\n*END\n");
	put("runs2/main.k", "x");
	put("secret/key", "x");
	assert_int_equal(symlink("a", path("runs/inside")), 0);
	assert_int_equal(symlink("../secret", path("runs/out")), 0);
	assert_int_equal(symlink("/etc/passwd", path("runs/a/passwd.k")), 0);
	assert_int_equal(symlink("../../secret/key", path("runs/a/key.k")), 0);
	assert_int_equal(mkfifo(path("runs/a/pipe.k"), 0644), 0);
	fg_buf_printf(&text,
	              "[launcher]\nfolder = %s/runs/\ncores = 8\nmemory_bytes = 8000000000\nkeep = notes*\n"
	              "[solver dyna]\nprogram = /opt/ls-dyna\nrules = ls-dyna\nlicence = lstc\nlicence_per = core\n"
	              "[solver any]\nprogram = /opt/any\nrules = generic\n"
	              "[template restart]\nsolvers = dyna\ncommand = $SOLVER i=$INPUT r=$FILE ncpu=$NCPU\n"
	              "[template plain]\nsolvers = dyna\ncommand = $SOLVER  i=$INPUT ncpu=$NCPU memory=$MEMORY\n"
	              "[template mpi]\nsolvers = any\ncommand = mpirun -np $NCPU $SOLVER $INPUT --steps $NUMBER\n"
	              "[licence lstc]\ncount = /opt/lstc_qrun -r\nused = \"\" token -5\ntotal = \"\" token -3\n",
	              top);
	put("launcher.conf", text.data);
	fg_buf_free(&text);
	snprintf(rules, sizeof(rules), "%s/share/launch", source != NULL ? source : ".");
	assert_int_equal(fg_launch_config_read(&config, path("launcher.conf"), rules), FG_OK);
	return fg_launch_config_open(&config) == FG_OK ? 0 : -1;
}

static int
remove_folders(void **state)
{
	(void)state;
	fg_launch_config_close(&config);
	fg_fs_remove_tree(top);
	return 0;
}

/* --- output */

static const char dyna[] =
        "     Date: 11/22/2026      Time: 04:40:00\n"
        "     |  Livermore  Software  Technology  Corporation   |\n"
        "     |  LS-DYNA, A Program for Nonlinear Dynamic       |\n"
        " * errors encountered in either the documentation or results  *\n"
        " termination time          =   1.0000E-01\n"
        " added mass          =   1.2500E-03\n"
        " percentage increase =   2.4000E+00\n"
        "      1000 t 1.0000E-02 dt 9.00E-07 write d3plot file            11/22/26 04:40:01\n"
        "      1500 t 1.5000E-02 dt 8.00E-07 flush i/o buffers            11/22/26 04:40:02\n";

static void
test_ls_dyna(void **state)
{
	static struct fg_rules rules;

	(void)state;
	rules_of(&rules, "ls-dyna");
	for (size_t step = 1; step <= sizeof(dyna); step += 37) {
		struct fg_reading r = { 0 };

		for (size_t at = 0; at < sizeof(dyna) - 1; at += step)
			fg_reading_feed(&r, &rules, dyna + at, sizeof(dyna) - 1 - at < step ? sizeof(dyna) - 1 - at : step);
		assert_true(r.started && !r.normal && !r.error);
		assert_float_equal(r.value[FG_RULE_END], 0.1, 1e-12);
		assert_float_equal(r.value[FG_RULE_MASS], 0.00125, 1e-12);
		assert_float_equal(r.value[FG_RULE_MASS_PCT], 2.4, 1e-12);
		assert_float_equal(r.value[FG_RULE_CURRENT], 0.015, 1e-12);
		assert_float_equal(r.value[FG_RULE_STEP], 8e-7, 1e-15);
		assert_float_equal(fg_reading_percent(&r), 15, 1e-9);
		assert_float_equal(fg_reading_eta(&r, 30), 170, 1e-9);
	}
}

static const struct {
	const char *solver, *line;
	bool        normal, error;
	double      percent;
} line_rows[] = {
	{ "ls-dyna", " *** termination time reached ***\n", false, false, -1 },
	{ "ls-dyna", " N o r m a l    t e r m i n a t i o n                   01/01/20 10:00:01\n", true, false, -1 },
	{ "ls-dyna", " E r r o r   t e r m i n a t i o n\n", false, true, -1 },
	{ "ls-dyna", "=   BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES\n", false, true, -1 },
	{ "ls-dyna", " termination time = 2.0D+00\n 10 t 5.0E-01 dt 1.0E-06 write d3plot file\n", false, false, 25 },
	{ "ls-dyna", " termination time = 1.0\n 10 t nan dt inf write d3plot file\n", false, false, -1 },
	{ "ls-dyna", " termination time = 1.0\n element 3 failed at time 0.75\n 9 t 5.0E-01 dt 1 flush i/o buffers\n", false, false, 75 },
	{ "ls-dyna", " termination time = 0.0\n 9 t 5.0E-01 dt 1 flush i/o buffers\n", false, false, -1 },
	{ "ls-dyna", " termination time = 1.0\n 9 t 5.0E+01 dt 1 flush i/o buffers\n", false, false, 100 },
	{ "openradioss", " NC=     100 T= 1.0000E-01 DT= 1.0000E-03 ERR= -0.0% DM/M= 2.0556E-04\n ELAPSED TIME=          2.00 s  REMAINING TIME=          6.00 s\n",
	  false, false, 25 },
	{ "openradioss", "     NORMAL TERMINATION\n", true, false, -1 },
	{ "openradioss", "     ERROR TERMINATION\n", false, true, -1 },
	{ "generic", "progress: 42.5 % of it\n", false, false, 42.5 },
	{ "generic", "[7%]", false, false, 7 },
	{ "generic", "100%sure\n", false, false, 100 },
	{ "generic", "%%% no number\n", false, false, -1 },
};

static void
test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(line_rows); i++) {
		static struct fg_rules rules;
		struct fg_reading      r = { 0 };

		rules_of(&rules, line_rows[i].solver);
		fg_reading_feed(&r, &rules, line_rows[i].line, strlen(line_rows[i].line));
		fg_reading_end(&r, &rules);
		if (r.normal != line_rows[i].normal || r.error != line_rows[i].error || fg_reading_percent(&r) - line_rows[i].percent > 1e-9 ||
		    line_rows[i].percent - fg_reading_percent(&r) > 1e-9)
			fail_msg("row %zu: %s normal=%d error=%d percent=%g", i, line_rows[i].line, r.normal, r.error, fg_reading_percent(&r));
	}
}

static void
test_long_lines(void **state)
{
	static struct fg_rules   rules;
	static struct fg_reading r;
	char                     piece[1000];

	(void)state;
	rules_of(&rules, "ls-dyna");
	memset(piece, 'x', sizeof(piece));
	for (int i = 0; i < 100; i++)
		fg_reading_feed(&r, &rules, piece, sizeof(piece));
	assert_true(r.held < FG_READ_LINE);
	fg_reading_feed(&r, &rules, "\n N o r m a l\n", 14);
	assert_true(r.normal);
}

static void
test_rule_files(void **state)
{
	static const struct {
		const char *text;
		enum fg_err err;
	} rows[] = {
		{ "", FG_OK },
		{ "; nothing\n[solver]\nname = x\n[line]\nnormal = \"ok\"\n", FG_OK },
		{ "[line]\nend = \"t\" token -3 first", FG_OK },
		{ "[line] ; comment\nend = \"a ; b\" last ; comment\n ; more", FG_OK },
		{ "[line]\nend = \"t\"", FG_EINVAL },
		{ "[line]\nnormal = \"t\" last", FG_EINVAL },
		{ "[line]\nend = t last", FG_EINVAL },
		{ "[line]\nend = \"t last", FG_EINVAL },
		{ "[line]\nend = \"\" after", FG_EINVAL },
		{ "[line]\nend = \"t\" token 0", FG_EINVAL },
		{ "[line]\nend = \"t\" token 99999", FG_EINVAL },
		{ "[line]\nend = \"t\" last after", FG_EINVAL },
		{ "[line]\nfoo = \"t\"", FG_EINVAL },
		{ "[solver]\nstop_file = ../x", FG_EINVAL },
		{ "[solver]\nfoo = x", FG_EINVAL },
		{ "[solver]\nword_bytes = 0", FG_EINVAL },
		{ "[what]\nx = y", FG_EINVAL },
		{ "[solver\nx = y", FG_EFORMAT },
		{ "just text", FG_EFORMAT },
		{ "a\x01 = b", FG_EFORMAT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		static struct fg_rules rules;
		enum fg_err            err = fg_rules_read(&rules, rows[i].text, strlen(rows[i].text));

		if (err != rows[i].err)
			fail_msg("%s: %s", rows[i].text, fg_err_text(err));
	}
}

static void
test_licence_output(void **state)
{
	static const char text[] = "Using default server\n           LS-DYNA   12/31/2026      24      8 of   32 available (x)";
	double            used, total;

	(void)state;
	assert_true(fg_rule_number(&used, &config.licence[0].used, text));
	assert_true(fg_rule_number(&total, &config.licence[0].total, text));
	assert_int_equal((int)used, 8);
	assert_int_equal((int)total, 32);
	assert_false(fg_rule_number(&used, &config.licence[0].used, "no server"));
}

/* --- folders */

static const struct {
	const char *name;
	enum fg_err err;
} beneath_rows[] = {
	{ "runs/a/main.k", FG_OK },
	{ "runs//a/./main.k", FG_OK },
	{ "runs/a/../a/main.k", FG_OK },
	{ "runs/inside/main.k", FG_OK },
	{ "runs/a/none.k", FG_ENOTFOUND },
	{ "runs/a", FG_ENOTFOUND },
	{ "runs/a/pipe.k", FG_ENOTFOUND },
	{ "runs/../secret/key", FG_EFORBIDDEN },
	{ "runs/a/../../runs2/main.k", FG_EFORBIDDEN },
	{ "runs2/main.k", FG_EFORBIDDEN },
	{ "runs/out/key", FG_EFORBIDDEN },
	{ "runs/a/passwd.k", FG_EFORBIDDEN },
	{ "runs/a/key.k", FG_EFORBIDDEN },
	{ "secret/key", FG_EFORBIDDEN },
	{ "runs/a/main.k\n/../../etc", FG_EINVAL },
	{ "runs/a/\xff\xfe", FG_EINVAL },
};

static void
test_beneath(void **state)
{
	static const char *const outside[] = { "/etc/passwd", "/proc/self/root/etc/passwd", "relative", "", "/", "//etc/passwd" };

	(void)state;
	for (size_t i = 0; i < COUNT(beneath_rows); i++) {
		enum fg_err err = fg_beneath_file(&config, path(beneath_rows[i].name));

		if (err != beneath_rows[i].err)
			fail_msg("%s: %s", beneath_rows[i].name, fg_err_text(err));
	}
	for (size_t i = 0; i < COUNT(outside); i++)
		assert_int_not_equal(fg_beneath_file(&config, outside[i]), FG_OK);
}

/* --- templates */

static const struct {
	const char *solver, *ncpu, *memory, *expr, *want; /* want: the command, or NULL when it is refused */
} template_rows[] = {
	{ "dyna", "4", "200m", "$SOLVER i=$INPUT ncpu=$NCPU memory=$MEMORY", "/opt/ls-dyna i=@ ncpu=4 memory=200m" },
	{ "/opt/ls-dyna", "4", "200m", "  $SOLVER   i=$INPUT ncpu=$NCPU memory=$MEMORY ", "/opt/ls-dyna i=@ ncpu=4 memory=200m" },
	{ "dyna", "4", "200m", "/opt/ls-dyna i=@ ncpu=4 memory=200m", "/opt/ls-dyna i=@ ncpu=4 memory=200m" },
	{ "dyna", "2", "", "$SOLVER i=$INPUT r=d3dump01 ncpu=$NCPU", "/opt/ls-dyna i=@ r=d3dump01 ncpu=2" },
	{ "any", "2", "", "mpirun -np $NCPU $SOLVER $INPUT --steps 100", "mpirun -np 2 /opt/any @ --steps 100" },
	{ "dyna", "2", "", "$SOLVER i=$INPUT r=../x ncpu=$NCPU", NULL },
	{ "dyna", "2", "", "$SOLVER i=$INPUT r=-x ncpu=$NCPU", NULL },
	{ "dyna", "2", "", "$SOLVER i=$INPUT r= ncpu=$NCPU", NULL },
	{ "any", "2", "", "mpirun -np $NCPU $SOLVER $INPUT --steps 1;id", NULL },
	{ "dyna", "4", "200m", "$SOLVER i=$INPUT ncpu=$NCPU memory=$MEMORY ; id", NULL },
	{ "dyna", "4", "200m", "$SOLVER i=$INPUT ncpu=$NCPU memory=$MEMORY|id", NULL },
	{ "dyna", "4", "200m", "$SOLVER i=/etc/passwd ncpu=$NCPU memory=$MEMORY", NULL },
	{ "dyna", "4", "200m", "$SOLVER i=$INPUT ncpu=64 memory=$MEMORY", NULL },
	{ "dyna", "4", "200m", "$SOLVER i=$INPUT ncpu=$NCPU", NULL },
	{ "dyna", "4", "200m", "/bin/sh i=@ ncpu=4 memory=200m", NULL },
	{ "/bin/sh", "4", "200m", "$SOLVER i=$INPUT ncpu=$NCPU memory=$MEMORY", NULL },
	{ "any", "4", "200m", "$SOLVER i=$INPUT ncpu=$NCPU memory=$MEMORY", NULL },
	{ "dyna", "0", "200m", "$SOLVER i=$INPUT ncpu=$NCPU memory=$MEMORY", NULL },
	{ "dyna", "9", "200m", "$SOLVER i=$INPUT ncpu=$NCPU memory=$MEMORY", NULL },
	{ "dyna", "4", "200q", "$SOLVER i=$INPUT ncpu=$NCPU memory=$MEMORY", NULL },
	{ "dyna", "4", "200m x", "$SOLVER i=$INPUT ncpu=$NCPU memory=$MEMORY", NULL },
	{ "dyna", "4", "200g", "$SOLVER i=$INPUT ncpu=$NCPU memory=$MEMORY", NULL },
	{ "dyna", "4", "", "", NULL },
};

/* @ is the input. */
static void
with_input(struct fg_buf *out, const char *text)
{
	fg_buf_clear(out);
	for (; *text != '\0'; text++)
		if (*text == '@')
			fg_buf_str(out, path("runs/a/main.k"));
		else
			fg_buf_char(out, *text);
}

static void
test_templates(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(template_rows); i++) {
		struct fg_arena   arena = { 0 };
		struct fg_buf     expr = { 0 }, want = { 0 };
		struct fg_command command;
		struct fg_order   order = { .input = path("runs/a/main.k"), .solver = template_rows[i].solver, .memory = template_rows[i].memory, .command = "",
			                    .ncpu = strtol(template_rows[i].ncpu, NULL, 10) };
		enum fg_err       err;

		with_input(&expr, template_rows[i].expr);
		order.expr = fg_buf_text(&expr);
		err = fg_template_apply(&command, &arena, &config, &order);
		if ((err == FG_OK) != (template_rows[i].want != NULL))
			fail_msg("row %zu: %s", i, fg_err_text(err));
		if (err == FG_OK) {
			with_input(&want, template_rows[i].want);
			assert_string_equal(command.text, want.data);
			order.command = "something else";
			assert_int_equal(fg_template_apply(&command, &arena, &config, &order), FG_EFORBIDDEN);
		}
		fg_buf_free(&expr);
		fg_buf_free(&want);
		fg_arena_free(&arena);
	}
}

static void
test_sizes(void **state)
{
	(void)state;
	assert_int_equal(fg_memory_bytes("200m", 8), INT64_C(200) * 1048576 * 8);
	assert_int_equal(fg_memory_bytes("5", 1), 5);
	assert_int_equal(fg_memory_bytes("2G", 1), INT64_C(2) << 30);
	assert_int_equal(fg_memory_bytes("999999999999g", 8), -1);
	assert_int_equal(fg_memory_bytes("-5m", 1), -1);
	assert_int_equal(fg_memory_bytes("", 1), -1);
}

/* --- networks, queue, cleaning */

static void
test_track(void **state)
{
	struct fg_track track = { 0 };

	(void)state;
	for (int i = 1; i <= 100000; i++)
		fg_track_add(&track, i / 10.0, i / 1000.0);
	assert_true(track.count > FG_TRACK_MAX / 4 && track.count <= FG_TRACK_MAX);
	assert_true(track.elapsed_s[0] == 0 && track.percent[0] == 0);
	for (int i = 1; i < track.count; i++)
		assert_true(track.elapsed_s[i] >= track.elapsed_s[i - 1] + track.every_s / 2);
	assert_true(track.elapsed_s[track.count - 1] > 9900 && track.percent[track.count - 1] > 99);
}

static void
test_networks(void **state)
{
	(void)state;
	assert_true(fg_welcome_address(&(struct fg_welcome){ .networks = "127.0.0.0/8 ::1" }, "127.3.2.1"));
	assert_true(fg_welcome_address(&(struct fg_welcome){ .networks = "127.0.0.0/8 ::1" }, "::1"));
	assert_true(fg_welcome_address(&(struct fg_welcome){ .networks = "10.0.0.0/8" }, "::ffff:10.9.8.7"));
	assert_false(fg_welcome_address(&(struct fg_welcome){ .networks = "127.0.0.0/8 ::1" }, "128.0.0.1"));
	assert_false(fg_welcome_address(&(struct fg_welcome){ .networks = "10.1.0.0/16" }, "10.2.0.1"));
	assert_false(fg_welcome_address(&(struct fg_welcome){ .networks = "" }, "127.0.0.1"));
	assert_false(fg_welcome_address(&(struct fg_welcome){ .networks = "10.0.0.0/99 bad" }, "10.0.0.1"));
	assert_false(fg_welcome_address(&(struct fg_welcome){ .networks = "0.0.0.0/0" }, "not an address"));
	const struct fg_welcome some = { .users = "ada bob", .operators = "eve" }, all = { .users = "*" };

	assert_true(fg_welcome_user(&some, "ada", false) && fg_welcome_user(&some, "eve", false) && fg_welcome_user(&some, "root", true) && fg_welcome_user(&all, "x", false));
	assert_false(fg_welcome_user(&some, "ad", false) || fg_welcome_operator(&some, "ada", false) || fg_welcome_operator(&all, "x", false));
	assert_true(fg_welcome_operator(&some, "eve", false) && fg_welcome_operator(&some, "root", true));
}

static void
test_plan(void **state)
{
	/* 8 cores; letters that start are upper case in `want` */
	static const struct {
		int         free, cores[5];
		int64_t     licences_free, licences_total;
		int         needs[5];
		const char *want;
	} rows[] = {
		{ 8, { 4, 4, 1 }, 9, 9, { 0 }, "ABc" },
		{ 4, { 6, 2, 1 }, 9, 9, { 0 }, "aBc" },      /* 6 + 2 = 8: b may pass; c would make a wait */
		{ 4, { 8, 1, 1 }, 9, 9, { 0 }, "abc" },      /* nothing passes one that needs everything */
		{ 4, { 9, 2, 2 }, 9, 9, { 0 }, "aBC" },      /* who can never run holds up nobody */
		{ 8, { 2, 2, 2 }, 1, 4, { 4, 0, 1 }, "aBc" },/* a waits for licences: b needs none, c would take one of a's */
		{ 8, { 2, 2, 2 }, -1, -1, { 1, 0, 1 }, "aBc" },
		{ 0, { 1, 1, 1 }, 9, 9, { 0 }, "abc" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_capacity now = { .cores = rows[i].free, .memory_bytes = 100 }, all = { .cores = 8, .memory_bytes = 100 };
		struct fg_want     wants[3];
		const char        *why[3];
		bool               start[3];
		char               got[4] = "abc";

		now.licences[0] = rows[i].licences_free;
		all.licences[0] = rows[i].licences_total;
		for (int w = 0; w < 3; w++)
			wants[w] = (struct fg_want){ .cores = rows[i].cores[w], .licence = rows[i].needs[w] ? 0 : -1, .licences = rows[i].needs[w] };
		fg_plan(start, why, wants, 3, &now, &all);
		for (int w = 0; w < 3; w++) {
			got[w] = start[w] ? (char)(got[w] - 32) : got[w];
			assert_true(start[w] == (why[w] == NULL));
		}
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("row %zu: %s, not %s", i, got, rows[i].want);
	}
}

static void
test_clean(void **state)
{
	static const char *const names[] = { "d3plot", "d3plot01", "d3hsp", "stdout", "d3kil", "mesh.d3part", "d3part.k", "messag", "results.csv", "notes.txt" };
	static const struct {
		const char *name;
		bool        stays;
	} rows[] = { { "main.k", true },   { "d3plot", false },  { "d3plot01", false },   { "d3hsp", false },      { "stdout", false },   { "d3kil", false },
		     { "messag", false },  { "mesh.d3part", true }, { "d3part.k", true }, { "results.csv", true }, { "notes.txt", true }, { "d3folder", true } };
	struct fg_buf moved = { 0 };
	const int     folder = open(path("runs/a"), O_RDONLY | O_DIRECTORY);

	(void)state;
	mkdir(path("runs/a/d3folder"), 0755);
	for (size_t i = 0; i < COUNT(names); i++) {
		char name[64];

		snprintf(name, sizeof(name), "runs/a/%s", names[i]);
		put(name, "x");
	}
	assert_int_equal(fg_clean(&moved, folder, "main.k", &config, &config.solver[0].rules, false, 1), FG_OK);
	assert_int_equal(access(path("runs/a/d3plot"), F_OK), 0);
	assert_int_not_equal(access(path("runs/a/stdout"), F_OK), 0);
	put("runs/a/stdout", "x");
	put("runs/a/d3kil", "x");
	fg_buf_clear(&moved);
	assert_int_equal(fg_clean(&moved, folder, "main.k", &config, &config.solver[0].rules, true, 1), FG_OK);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char name[128];

		snprintf(name, sizeof(name), "runs/a/%s", rows[i].name);
		if ((access(path(name), F_OK) == 0) != rows[i].stays)
			fail_msg("%s", name);
		snprintf(name, sizeof(name), "runs/a/.farmgate-trash/1.1/%s", rows[i].name);
		if ((access(path(name), F_OK) == 0) == rows[i].stays)
			fail_msg("%s", name);
	}
	assert_non_null(strstr(moved.data, "d3plot01\n"));
	fg_buf_free(&moved);
	close(folder);
}

/* What a solver sees of it, from the folder's own events: a whole file, moved in; never one that is being written. */
static void
test_stopfile(void **state)
{
	const int folder = open(path("runs"), O_RDONLY | O_DIRECTORY), eye = inotify_init1(IN_NONBLOCK);
	char      bytes[4096], text[16] = { 0 };
	int       seen = 0;
	ssize_t   n;

	(void)state;
	put("elsewhere", "untouched");
	assert_int_equal(symlink(path("elsewhere"), path("runs/d3kil")), 0);
	assert_true(inotify_add_watch(eye, path("runs"), IN_CREATE | IN_MODIFY | IN_MOVED_TO) >= 0);
	assert_int_equal(fg_stopfile_write(folder, "d3kil", "sw4"), FG_OK);
	assert_int_equal(fg_stopfile_write(folder, "d3kil", "sw1"), FG_OK);
	assert_true((n = read(eye, bytes, sizeof(bytes))) > 0);
	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *event = (const void *)(bytes + at);

		if (strcmp(event->name, "d3kil") == 0) {
			assert_int_equal(event->mask, IN_MOVED_TO);
			seen++;
		}
		at += (ssize_t)sizeof(*event) + event->len;
	}
	assert_int_equal(seen, 2);
	n = openat(folder, "d3kil", O_RDONLY | O_NOFOLLOW);
	assert_int_equal(read((int)n, text, sizeof(text)), 3);
	close((int)n);
	assert_string_equal(text, "sw1");
	assert_int_equal(fg_fs_size(path("elsewhere")), 9);
	unlinkat(folder, "d3kil", 0);
	mkdirat(folder, "d3kil", 0755);
	assert_int_equal(fg_stopfile_write(folder, "d3kil", "sw1"), FG_EIO);
	unlinkat(folder, "d3kil", AT_REMOVEDIR);
	close(eye);
	close(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ls_dyna), cmocka_unit_test(test_lines),    cmocka_unit_test(test_long_lines), cmocka_unit_test(test_rule_files),
		cmocka_unit_test(test_licence_output), cmocka_unit_test(test_beneath), cmocka_unit_test(test_templates), cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_networks), cmocka_unit_test(test_track), cmocka_unit_test(test_plan), cmocka_unit_test(test_clean),
		cmocka_unit_test(test_stopfile),
	};

	return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
