/* cache: downloaded zips by their MD5, and what is unpacked of them. Zips and their names are strangers' until checked. */
#ifndef FG_WORKER_CACHE_H
#define FG_WORKER_CACHE_H

#include <stdint.h>

#include "base/err.h"
#include "worker/client.h"

enum { FG_CACHED_MAX = 256 };

struct fg_cache {
	char    dir[2048];    /**< zips in zips/, renderers in renderers/<md5>/, jobs in jobs/ */
	int64_t limit_bytes;  /**< of the zips; the least recently used go first */
	int     held[4];      /**< open zips, locked against eviction by other slots and workers */
	int     nheld;
};

enum fg_err fg_cache_open(struct fg_cache *cache, char hwid[33]); /**< makes its folders; hwid: this machine's id, made once */
int         fg_cache_list(struct fg_cache *cache, char (*md5s)[33], int max);
void        fg_cache_evict(struct fg_cache *cache, const char *md5); /**< stays if anybody holds it */

/** The zip with this MD5 is in the cache after this: downloaded to .partial, checked, renamed. FG_EFORMAT: its MD5 is wrong.
 * Neither it nor what was unpacked of it goes before fg_cache_release. */
enum fg_err fg_cache_fetch(struct fg_cache *cache, struct fg_client *client, const struct fg_task *task, const char *type, const char *md5);

void        fg_cache_release(struct fg_cache *cache);

/** Unpack: names that lead out, links, too many or too large entries are FG_EFORMAT. */
enum fg_err fg_cache_unpack(const struct fg_cache *cache, const char *md5, const char *folder);

/** renderers/<md5>, unpacked once. */
enum fg_err fg_cache_renderer(char *out, size_t size, const struct fg_cache *cache, const char *md5);

#endif
