/* text: what goes between languages arrives as it was meant, and what can't be written is replaced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fields.h"
#include "text/escape.h"
#include "text/json.h"
#include "text/xml.h"

static void
url(void **state)
{
	static const struct {
		const char *in;
		bool        plus;
		const char *out;
	} rows[] = {
		{ "a%20b+c", false, "a b+c" }, { "a%20b+c", true, "a b c" }, { "%41%4", false, "A%4" },     { "%", false, "%" },
		{ "%zz%7e", false, "%zz~" },   { "", true, "" },             { "%2f%2F", false, "//" }, { "%%41", false, "%A" },
	};
	struct fg_buf buf = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[32];

		memcpy(text, rows[i].in, strlen(rows[i].in) + 1);
		assert_int_equal(fg_unescape_url(text, strlen(text), rows[i].plus), strlen(rows[i].out));
		assert_string_equal(text, rows[i].out);
	}
	fg_escape_url(&buf, "http://h/a?b=1&c=\xc3\xa9~");
	assert_string_equal(buf.data, "http%3A%2F%2Fh%2Fa%3Fb%3D1%26c%3D%C3%A9~");
	fg_buf_free(&buf);
}

static void
utf8(void **state)
{
	static const char *const good[] = { "", "abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf", "\xef\xbf\xbf" };
	static const char *const bad[] = { "\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "a\xff", "\xe2\x82", "\xe2\x28\xa1" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(fg_utf8_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(fg_utf8_valid(bad[i], strlen(bad[i])));
	assert_false(fg_utf8_valid("a\0b", 3));
}

static void
xml(void **state)
{
	struct fg_xml *xml = fg_xml_begin("config");
	size_t         len;
	const char    *text;

	(void)state;
	fg_xml_attr_int(xml, "status", 0);
	fg_xml_attr(xml, "publickey", "");
	fg_xml_open(xml, "request");
	fg_xml_attr(xml, "path", "/a?b&\"c\"<\x01\xff");
	fg_xml_close(xml);
	fg_xml_open(xml, "script");
	fg_xml_text(xml, "if a < b & c:\n\tpass ]]>\x02\xef\xbf\xbf");
	text = fg_xml_end(xml, &len);
	assert_string_equal(text, "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n<config status=\"0\" publickey=\"\">\n"
	                          " <request path=\"/a?b&amp;&quot;c&quot;&lt;?" "?\"/>\n <script>if a &lt; b &amp; c:\n\tpass ]]&gt;?" "?" "?" "?</script>\n</config>\n");
	assert_int_equal(len, strlen(text));
	fg_xml_free(xml);
}

static void
cache_list(void **state)
{
	static const struct {
		const char *body;
		int         count;
	} rows[] = {
		{ "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?><cache/>", 0 },
		{ "<cache><file md5=\"00112233445566778899aabbccddeeff\"/><file md5='ffeeddccbbaa99887766554433221100'/></cache>", 2 },
		{ "<cache><file md5=\"00112233445566778899aabbccddeeff\"/><file md5=\"zz\"/><file/></cach", 1 },
		{ "<!DOCTYPE a [<!ENTITY b \"c\">]><cache><file md5=\"00112233445566778899aabbccddeeff\"/></cache>", 0 },
		{ "<a><b><c><d><e><f><file md5=\"00112233445566778899aabbccddeeff\"/></f></e></d></c></b></a>", 0 },
		{ "not xml", 0 },
		{ "", 0 },
	};
	char md5s[2][33];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(fg_xml_cache_list(md5s, 2, rows[i].body, strlen(rows[i].body)), rows[i].count);
}

static void
json(void **state)
{
	static const struct {
		const char *body, *fields; /**< fields NULL: refused */
	} rows[] = {
		{ "{\"name\":\"a\\u00e9\", \"n\" : 12,\"t\":true,\"f\":false,\"z\":null,\"l\":[1],\"o\":{\"x\":1},\"e\":\"\"} \r\n", "name=a\xc3\xa9;n=12;t=1;f=0;e=;" },
		{ "{}", "" },
		{ "[1]", NULL },
		{ "7", NULL },
		{ "", NULL },
		{ "null", NULL },
		{ "{\"a\":1", NULL },
		{ "{\"a\":1} x", NULL },
		{ "{\"a\":1}{}", NULL },
		{ "{\"a\":\"\xff\"}", NULL },
		{ "[[[[[[[[[[[[[[[[[[[[[[", NULL },
		{ "{\"a\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}", NULL },
	};
	struct fg_buf notes = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		fg_buf_clear(&notes);
		assert_int_equal(fg_json_fields(rows[i].body, strlen(rows[i].body), note_fields(&notes)), rows[i].fields != NULL ? FG_OK : FG_EFORMAT);
		if (rows[i].fields != NULL)
			assert_string_equal(notes.len > 0 ? notes.data : "", rows[i].fields);
	}
	fg_buf_free(&notes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(url), cmocka_unit_test(utf8), cmocka_unit_test(xml), cmocka_unit_test(cache_list), cmocka_unit_test(json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
