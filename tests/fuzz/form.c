/* form: urlencoded bytes and a JSON object; in pieces of the size that the first byte says. */
#include "../unit/fields.h"
#include "text/form.h"
#include "text/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fg_form form;
	struct fg_buf         notes = { 0 };
	const size_t          step = size > 0 ? data[0] + 1u : 1;

	fg_form_init(&form, note_fields(&notes));
	for (size_t at = 1; at < size; at += step)
		fg_form_feed(&form, (const char *)data + at, size - at < step ? size - at : step);
	fg_form_end(&form);
	if (size > 1)
		fg_json_fields((const char *)data + 1, size - 1, note_fields(&notes));
	fg_buf_free(&notes);
	return 0;
}
