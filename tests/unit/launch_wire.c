/* launch_wire: frames, packets, JSON-RPC and output files, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "base/fs.h"
#include "launch/head.h"
#include "launch/jsontext.h"
#include "launch/outfile.h"
#include "launch/rpc.h"
#include "launch/socketio.h"
#include "launch/websocket.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static void
test_accept(void **state)
{
	char out[32];

	(void)state;
	assert_true(fg_ws_accept(out, "dGhlIHNhbXBsZSBub25jZQ==")); /* RFC 6455, 1.3 */
	assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	assert_false(fg_ws_accept(out, "short"));
	assert_false(fg_ws_accept(out, ""));
}

static void
test_frames(void **state)
{
	static const struct {
		const char    *bytes;
		size_t         len;
		enum fg_ws_got got;
		const char    *text;
	} rows[] = {
		{ "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11, FG_WS_MESSAGE, "Hello" }, /* RFC 6455, 5.7 */
		{ "\x81\x80" "aaaa", 6, FG_WS_MESSAGE, "" },
		{ "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51", 10, FG_WS_MORE, NULL },
		{ "\x81", 1, FG_WS_MORE, NULL },
		{ "", 0, FG_WS_MORE, NULL },
		{ "\x81\x05Hello", 7, FG_WS_BROKEN, NULL },                     /* no mask */
		{ "\xc1\x80" "aaaa", 6, FG_WS_BROKEN, NULL },                   /* compressed */
		{ "\x82\x80" "aaaa", 6, FG_WS_BROKEN, NULL },                   /* binary */
		{ "\x80\x80" "aaaa", 6, FG_WS_BROKEN, NULL },                   /* a continuation of nothing */
		{ "\x09\x80" "aaaa", 6, FG_WS_BROKEN, NULL },                   /* a ping in pieces */
		{ "\x83\x80" "aaaa", 6, FG_WS_BROKEN, NULL },                   /* an opcode that is not there */
		{ "\x89\x80" "aaaa", 6, FG_WS_CONTROL, NULL },
		{ "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff" "aaaa", 14, FG_WS_BROKEN, NULL },
		{ "\x81\x82" "aaaa" "\x9e\x9f", 8, FG_WS_BROKEN, NULL },       /* no UTF-8 */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_ws ws = { 0 };
		size_t       used;

		if (fg_ws_take(&ws, &used, (const unsigned char *)rows[i].bytes, rows[i].len, 1000) != rows[i].got)
			fail_msg("row %zu", i);
		if (rows[i].text != NULL) {
			assert_string_equal(ws.message.data, rows[i].text);
			assert_int_equal(used, rows[i].len);
		}
		fg_buf_free(&ws.message);
	}
}

static void
test_lengths(void **state)
{
	static const size_t lengths[] = { 0, 1, 125, 126, 65535, 65536 };

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct fg_buf text = { 0 }, frame = { 0 };

		memset(fg_buf_room(&text, lengths[i] + 1), 'x', lengths[i]);
		text.len = lengths[i];
		fg_ws_frame(&frame, FG_WS_TEXT, text.data, text.len);
		assert_int_equal(frame.len, lengths[i] + (lengths[i] < 126 ? 2 : lengths[i] < 65536 ? 4 : 10));
		fg_buf_free(&text);
		fg_buf_free(&frame);
	}
}

static void
test_packets(void **state)
{
	static const struct {
		const char      *bytes;
		enum fg_sio_kind kind;
		const char      *event, *text;
	} rows[] = {
		{ "40", FG_SIO_CONNECT, "", "" },
		{ "40{}", FG_SIO_CONNECT, "", "" },
		{ "40/admin,", FG_SIO_OTHER, "", "" },
		{ "41", FG_SIO_DISCONNECT, "", "" },
		{ "1", FG_SIO_CLOSE, "", "" },
		{ "2probe", FG_SIO_PING, "", "probe" },
		{ "3", FG_SIO_PONG, "", "" },
		{ "5", FG_SIO_UPGRADE, "", "" },
		{ "42[\"message\",\"{\\\"id\\\":2}\"]", FG_SIO_EVENT, "message", "{\"id\":2}" },
		{ "42[\"start_cpu_monitoring\"]", FG_SIO_EVENT, "start_cpu_monitoring", "" },
		{ "42[\"message\",{\"a\":1}]", FG_SIO_EVENT, "message", "" },
		{ "42[]", FG_SIO_BAD, "", "" },
		{ "42[1]", FG_SIO_BAD, "", "" },
		{ "42{\"a\":1}", FG_SIO_BAD, "", "" },
		{ "42[\"message\"]x", FG_SIO_BAD, "", "" },
		{ "4212[\"message\"]", FG_SIO_BAD, "", "" },
		{ "43[]", FG_SIO_BAD, "", "" },
		{ "451-[\"x\"]", FG_SIO_BAD, "", "" },
		{ "4", FG_SIO_BAD, "", "" },
		{ "b64", FG_SIO_BAD, "", "" },
		{ "", FG_SIO_BAD, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_sio_packet packet;

		fg_sio_parse(&packet, rows[i].bytes, strlen(rows[i].bytes));
		if (packet.kind != rows[i].kind)
			fail_msg("%s: %d", rows[i].bytes, packet.kind);
		assert_string_equal(packet.event, rows[i].event);
		assert_string_equal(fg_buf_text(&packet.text), rows[i].text);
		fg_sio_free(&packet);
	}
}

static struct json_object *
echo(void *ctx, const struct fg_rpc_call *call, struct fg_rpc_error *error)
{
	++*(int *)ctx;
	if (strcmp(call->method, "later") == 0)
		error->code = FG_RPC_LATER;
	else if (strcmp(call->method, "echo") != 0)
		*error = (struct fg_rpc_error){ .code = FG_RPC_NO_METHOD, .data = "other" };
	return error->code == 0 ? json_object_get(call->params) : NULL;
}

static void
test_rpc(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":[1]}", "{\"jsonrpc\":\"2.0\",\"result\":[1],\"id\":1}" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"echo\"}", "{\"jsonrpc\":\"2.0\",\"result\":null,\"id\":\"x\"}" },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}", "" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"other\"}", "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"Method not found\",\"data\":\"other\"},\"id\":2}" },
		{ "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"},{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}]", "[{\"jsonrpc\":\"2.0\",\"result\":null,\"id\":1}]" },
		{ "[{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}]", "" },
	};
	static const char *const bad[] = { "", "nonsense", "{} {}", "[]", "{}", "null", "[1]", "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"echo\"}",
		                           "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"echo\"}", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":3}" };
	int calls = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_rpc_answer out = { 0 };

		fg_rpc_answer(&out, rows[i].in, strlen(rows[i].in), echo, &calls);
		assert_string_equal(fg_buf_text(&out.text), rows[i].out);
		assert_int_equal(out.waiting, 0);
		fg_buf_free(&out.text);
	}
	calls = 0;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct fg_rpc_answer out = { 0 };

		fg_rpc_answer(&out, bad[i], strlen(bad[i]), echo, &calls);
		if (strstr(fg_buf_text(&out.text), "\"error\":{\"code\":-32") == NULL)
			fail_msg("%s: %s", bad[i], fg_buf_text(&out.text));
		fg_buf_free(&out.text);
	}
	assert_int_equal(calls, 0);
}

static struct json_object *
megabyte(void *ctx, const struct fg_rpc_call *call, struct fg_rpc_error *error)
{
	static char text[1 << 20];

	(void)call;
	(void)error;
	++*(int *)ctx;
	memset(text, 'x', sizeof(text));
	return json_object_new_string_len(text, sizeof(text));
}

/* A batch asks for no more than is sent to anybody at once. */
static void
test_rpc_long_batch(void **state)
{
	struct fg_rpc_answer out = { 0 };
	struct fg_buf        in = { 0 };
	int                  calls = 0;

	(void)state;
	for (int i = 0; i < FG_RPC_BATCH_MAX; i++)
		fg_buf_printf(&in, "%c{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"x\"}", i == 0 ? '[' : ',', i);
	fg_buf_char(&in, ']');
	fg_rpc_answer(&out, in.data, in.len, megabyte, &calls);
	assert_int_equal(calls, FG_RPC_ANSWER_MAX >> 20);
	assert_true(out.text.len < FG_RPC_ANSWER_MAX + (1 << 20));
	assert_non_null(strstr(out.text.data, "too long for one batch\"},\"id\":99}]"));
	fg_buf_free(&in);
	fg_buf_free(&out.text);
}

static void
test_rpc_later(void **state)
{
	static const struct {
		const char *in, *out;
		int         waiting;
	} rows[] = {
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"later\"}", "{\"jsonrpc\":\"2.0\",\"result\":7,\"id\":null}", 1 },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"later\"}", "", 0 },
		{ "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"later\"},{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"echo\"},{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"later\"}]",
		  "[{\"jsonrpc\":\"2.0\",\"result\":null,\"id\":2},{\"jsonrpc\":\"2.0\",\"result\":7,\"id\":null},{\"jsonrpc\":\"2.0\",\"result\":7,\"id\":null}]", 2 },
		{ "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"later\"}]", "[{\"jsonrpc\":\"2.0\",\"result\":7,\"id\":null}]", 1 },
	};
	struct json_object *seven = json_object_new_int(7);
	int                 calls = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_rpc_answer out = { 0 };

		fg_rpc_answer(&out, rows[i].in, strlen(rows[i].in), echo, &calls);
		assert_int_equal(out.waiting, rows[i].waiting);
		while (out.waiting > 0)
			fg_rpc_late(&out, NULL, seven);
		assert_string_equal(fg_buf_text(&out.text), rows[i].out);
		fg_buf_free(&out.text);
	}
	json_object_put(seven);
}

static void
test_texts_and_numbers(void **state)
{
	static const struct {
		double      number;
		const char *text;
	} rows[] = { { 0.1, "0.1" }, { 0.00125, "0.00125" }, { 5, "5" }, { 1e300, "1e+300" }, { 1.0 / 3, "0.3333333333333333" }, { 812.4, "812.4" } };
	struct fg_buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct json_object *number = fg_json_number(rows[i].number);

		assert_string_equal(json_object_to_json_string(number), rows[i].text);
		json_object_put(number);
	}
	assert_null(fg_json_number(NAN));
	assert_null(fg_json_number(INFINITY));
	fg_json_quote(&out, "a\"\\\n\x1b[1m\xc3\xa9\xff\xed\xa0\x80\0z", 16);
	assert_string_equal(out.data, "\"a\\\"\\\\\\n\\u001b[1m\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"");
	fg_buf_free(&out);
}

static void
test_head(void **state)
{
	static const char    text[] = "GET /socket.io/?EIO=4&transport=polling&sid=ab HTTP/1.1\r\nHost: h:1\r\ncookie: a=1; FGSESSION=xyz; b=2\r\nContent-Length:  5";
	static struct fg_head head;
	char                 value[32];

	(void)state;
	assert_true(fg_head_parse(&head, text, sizeof(text) - 1));
	assert_string_equal(head.path, "/socket.io/");
	fg_head_query(value, sizeof(value), &head, "sid");
	assert_string_equal(value, "ab");
	fg_head_query(value, sizeof(value), &head, "si");
	assert_string_equal(value, "");
	fg_head_cookie(value, sizeof(value), &head, "FGSESSION");
	assert_string_equal(value, "xyz");
	assert_int_equal(head.body, 5);
	assert_true(head.keep);
}

static void
test_output_files(void **state)
{
	char             dir[] = "/tmp/farmgate-outfile-XXXXXX", line[32];
	struct fg_outfile out;
	struct fg_buf    got = { 0 };
	int64_t          at = 0, skipped, all = 0;
	int              folder;

	(void)state;
	assert_non_null(mkdtemp(dir));
	folder = open(dir, O_RDONLY | O_DIRECTORY);
	assert_int_equal(fg_outfile_open(&out, folder, 100, 200), FG_OK);
	for (int i = 0; i < 40; i++) { /* read as it grows: nothing is missing while the reader keeps up */
		const int len = snprintf(line, sizeof(line), "line %04d\n", i);

		fg_outfile_write(&out, line, (size_t)len);
		fg_outfile_read(&got, folder, &at, &skipped, 1000);
		assert_int_equal(skipped, 0);
		assert_int_equal(at, all += len);
	}
	assert_int_equal(got.len, 400);
	assert_memory_equal(got.data + 390, "line 0039\n", 10);
	fg_buf_clear(&got);
	for (int i = 40; i < 1000; i++)
		fg_outfile_write(&out, line, (size_t)snprintf(line, sizeof(line), "line %04d\n", i));
	fg_outfile_close(&out);
	at = 0;
	assert_int_equal(fg_outfile_read(&got, folder, &at, &skipped, 50), 50);
	assert_int_equal(at, 50);
	fg_buf_clear(&got);
	fg_outfile_read(&got, folder, &at, &skipped, 100000);
	assert_int_equal(at, 10000);
	assert_true(skipped >= 10000 - 100 - 400 && got.len >= 50 + 200);
	assert_memory_equal(got.data + got.len - 10, "line 0999\n", 10);
	fg_buf_free(&got);
	close(folder);
	fg_fs_remove_tree(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accept), cmocka_unit_test(test_frames), cmocka_unit_test(test_lengths), cmocka_unit_test(test_packets), cmocka_unit_test(test_rpc), cmocka_unit_test(test_rpc_long_batch), cmocka_unit_test(test_rpc_later),
		cmocka_unit_test(test_texts_and_numbers), cmocka_unit_test(test_head), cmocka_unit_test(test_output_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
