/* xml: answers of the worker protocol, written by libxml2. Characters that XML can't hold become `?`. */
#ifndef FG_TEXT_XML_H
#define FG_TEXT_XML_H

#include <stddef.h>
#include <stdint.h>

struct fg_xml;

struct fg_xml *fg_xml_begin(const char *root); /**< the declaration and the root element; free with fg_xml_free */
void           fg_xml_open(struct fg_xml *xml, const char *element);
void           fg_xml_close(struct fg_xml *xml);
void           fg_xml_attr(struct fg_xml *xml, const char *name, const char *value);
void           fg_xml_attr_int(struct fg_xml *xml, const char *name, int64_t value);
void           fg_xml_text(struct fg_xml *xml, const char *text);
const char    *fg_xml_end(struct fg_xml *xml, size_t *len); /**< closes all; the text belongs to `xml` */
void           fg_xml_free(struct fg_xml *xml);

/** The `md5` attributes of all `file` elements of a worker's cache list: at most `max`, each 32 lower-case hex digits. Returns how many.
 * Anything that isn't such a list gives 0: entities are not expanded, nothing is fetched, depth and size are bounded. */
int fg_xml_cache_list(char (*md5s)[33], int max, const char *body, size_t len);

#endif
