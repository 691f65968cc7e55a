/* renderer_pack: the zips that clients download to render with. File work only; the row of a renderer is farm/renderer.
 * On Linux `rend.exe` is a shell script (share/wrapper/rend.exe.in) that puts right what stock clients do to a render and becomes Blender by exec.
 * Windows has no sh: there rend.exe is blender.exe itself, and generations that need the script need a newer client. */
#ifndef FG_FARM_RENDERER_PACK_H
#define FG_FARM_RENDERER_PACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/tick.h"

/** What an official archive turned out to be. */
struct fg_renderer_packed {
	char    version[32]; /**< from the top folder's name (blender-3.4.1-linux-x64), "" when that has none */
	int64_t files, inflated_bytes;
};

/** Make the clients' zip from an official Blender archive: .tar.xz (linux), .zip (windows, mac), also .tar.gz, .tar.bz2 and .tar.zst.
 *
 * The single top folder goes; what starts Blender gets the place that clients look at: on linux `blender` stays and rend.exe is the wrapper script beside it,
 * on windows blender.exe becomes rend.exe, on mac X.app becomes Blender/blender.app. Links become copies of what they point to within the archive,
 * since clients know no links. Executable files have mode 0755, others 0644. The same archive makes the same bytes.
 * Needs room beside zip_out for everything unpacked, while it runs.
 *
 * @param os    linux, windows or mac
 * @param tick  told as it is unpacked and packed
 * @return FG_OK, FG_EINVAL (unknown os), FG_EUNSUPPORTED (a .dmg, or no archive that we read), FG_EFORMAT (damaged, names or links that lead out,
 *         no Blender for this os in it), FG_ETOOBIG (over 100 000 files or 16 GiB), FG_EIO, FG_ENOSPACE
 */
enum fg_err fg_renderer_repack(struct fg_renderer_packed *out, const char *zip_out, const char *archive_in, const char *os, const struct fg_tick *tick);

/** A wrapper archive for hosts that have Blender at an absolute path: one entry, rend.exe, mode 0755.
 * @return FG_OK, FG_EINVAL (not an absolute path of plain characters), FG_EIO, FG_ENOSPACE */
enum fg_err fg_renderer_wrap(const char *zip_out, const char *blender_path);

/** What a Blender can do, asked of itself. */
struct fg_renderer_caps {
	char version[32];                          /**< "3.4.1" */
	bool cycles, denoise, osl;                 /**< denoise: OpenImageDenoise is built in */
	bool cuda, optix, hip, metal, oneapi;      /**< built in; whether a worker has such a device is another matter */
	bool eevee, workbench;
};

/** Run a Blender without a window, in bubblewrap, for at most 60 s, and ask it.
 *
 * @param confined_only  true: FG_EUNSUPPORTED where bubblewrap can't run; false: then it runs without
 * @return FG_OK, FG_ENOTFOUND (no such program), FG_EUNSUPPORTED (it can't run here), FG_ETIMEOUT, FG_EIO
 */
enum fg_err fg_renderer_probe(struct fg_renderer_caps *out, const char *blender_path, bool confined_only);

/** The same for a zip made by fg_renderer_repack for linux: unpacked into a folder beside it, asked there (confined only), removed. */
enum fg_err fg_renderer_probe_zip(struct fg_renderer_caps *out, const char *zip_path);

#endif
