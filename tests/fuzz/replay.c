/* replay: every file of tests/fuzz/corpus/NAME through the fuzz entry NAME that is linked with this; TAP. Passing is coming back. */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
main(int argc, char **argv)
{
	const char    *top = getenv("top_srcdir"), *name = strrchr(argv[0], '/');
	char           folder[4096], path[8192];
	struct dirent *entry;
	int            count = 0;
	DIR           *dir;

	if (argc > 1)
		snprintf(folder, sizeof(folder), "%s", argv[1]);
	else
		snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s", top != NULL ? top : ".", name != NULL ? name + 1 : argv[0]);
	if ((dir = opendir(folder)) == NULL) {
		printf("1..1\nnot ok 1 - no corpus %s\n", folder);
		return 1;
	}
	while ((entry = readdir(dir)) != NULL) {
		struct fg_buf data = { 0 };

		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] == '.' || fg_fs_read(&data, path, 64 << 20) != FG_OK)
			continue;
		LLVMFuzzerTestOneInput((const uint8_t *)data.data, data.len);
		printf("ok %d - %s\n", ++count, entry->d_name);
		fg_buf_free(&data);
	}
	closedir(dir);
	printf("1..%d\n", count);
	return count == 0;
}
