/* renderer_pack: a command for the tests around farm/renderer_pack: `wrap OUT.zip /path/of/blender`. */
#include <stdio.h>
#include <string.h>

#include "farm/renderer_pack.h"

int
main(int argc, char **argv)
{
	enum fg_err err;

	if (argc == 4 && strcmp(argv[1], "wrap") == 0) {
		err = fg_renderer_wrap(argv[2], argv[3]);
	} else {
		fprintf(stderr, "usage: renderer_pack wrap OUT.zip BLENDER\n");
		return 2;
	}
	if (err != FG_OK)
		fprintf(stderr, "%s\n", fg_err_text(err));
	return err != FG_OK;
}
