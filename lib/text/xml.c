#include "text/xml.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/xmlreader.h>
#include <libxml/xmlwriter.h>

#include "base/buf.h"
#include "text/escape.h"

struct fg_xml {
	xmlTextWriterPtr writer;
	xmlBufferPtr     buffer;
};

static const xmlChar *
x(const char *text)
{
	return (const xmlChar *)text;
}

struct fg_xml *
fg_xml_begin(const char *root)
{
	struct fg_xml *xml = fg_alloc(sizeof(*xml));

	if ((xml->buffer = xmlBufferCreate()) == NULL || (xml->writer = xmlNewTextWriterMemory(xml->buffer, 0)) == NULL)
		abort();
	xmlTextWriterWriteRaw(xml->writer, x("<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n"));
	xmlTextWriterSetIndent(xml->writer, 1);
	xmlTextWriterStartElement(xml->writer, x(root));
	return xml;
}

void
fg_xml_open(struct fg_xml *xml, const char *element)
{
	xmlTextWriterStartElement(xml->writer, x(element));
}

void
fg_xml_close(struct fg_xml *xml)
{
	xmlTextWriterEndElement(xml->writer);
}

/* A copy that XML can hold. */
static char *
clean(const char *text)
{
	char *copy = fg_strdup(text);

	if (!fg_utf8_valid(copy, strlen(copy)))
		for (char *p = copy; *p != '\0'; p++)
			if ((unsigned char)*p >= 0x80)
				*p = '?';
	for (unsigned char *p = (unsigned char *)copy; *p != '\0'; p++)
		if ((*p < 0x20 && *p != '\t' && *p != '\n' && *p != '\r') || (p[0] == 0xef && p[1] == 0xbf && (p[2] == 0xbe || p[2] == 0xbf))) {
			if (*p >= 0x80)
				p[1] = p[2] = '?'; /* U+FFFE and U+FFFF */
			*p = '?';
		}
	return copy;
}

void
fg_xml_attr(struct fg_xml *xml, const char *name, const char *value)
{
	char *copy = clean(value);

	xmlTextWriterWriteAttribute(xml->writer, x(name), x(copy));
	free(copy);
}

void
fg_xml_attr_int(struct fg_xml *xml, const char *name, int64_t value)
{
	xmlTextWriterWriteFormatAttribute(xml->writer, x(name), "%" PRId64, value);
}

void
fg_xml_text(struct fg_xml *xml, const char *text)
{
	char *copy = clean(text);

	xmlTextWriterWriteString(xml->writer, x(copy));
	free(copy);
}

const char *
fg_xml_end(struct fg_xml *xml, size_t *len)
{
	xmlTextWriterEndDocument(xml->writer);
	xmlTextWriterFlush(xml->writer);
	*len = (size_t)xmlBufferLength(xml->buffer);
	return (const char *)xmlBufferContent(xml->buffer);
}

void
fg_xml_free(struct fg_xml *xml)
{
	if (xml == NULL)
		return;
	xmlFreeTextWriter(xml->writer);
	xmlBufferFree(xml->buffer);
	free(xml);
}

static void
say_nothing(void *ctx, const char *message, ...)
{
	(void)ctx, (void)message;
}

static bool
is_md5(const char *text)
{
	return strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32;
}

int
fg_xml_cache_list(char (*md5s)[33], int max, const char *body, size_t len)
{
	xmlTextReaderPtr reader;
	int              count = 0;

	if (len == 0 || len > 1 << 20)
		return 0;
	xmlSetGenericErrorFunc(NULL, say_nothing);
	reader = xmlReaderForMemory(body, (int)len, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (reader == NULL)
		return 0;
	while (count < max && xmlTextReaderRead(reader) == 1) {
		xmlChar *md5;

		if (xmlTextReaderNodeType(reader) == XML_READER_TYPE_DOCUMENT_TYPE || xmlTextReaderDepth(reader) > 4)
			break;
		if (xmlTextReaderNodeType(reader) != XML_READER_TYPE_ELEMENT || strcmp((const char *)xmlTextReaderConstName(reader), "file") != 0 ||
		    (md5 = xmlTextReaderGetAttribute(reader, x("md5"))) == NULL)
			continue;
		if (is_md5((const char *)md5))
			snprintf(md5s[count++], 33, "%s", (const char *)md5);
		xmlFree(md5);
	}
	xmlFreeTextReader(reader);
	return count;
}
