/* quota: how much of the farm one account may take. 0 is no limit. The refusals say the figures. */
#ifndef FG_FARM_QUOTA_H
#define FG_FARM_QUOTA_H

#include <stdint.h>

#include "store/db.h"

/** May one more upload begin? FG_ECONFLICT: `most` of them wait for a project to be made of them. */
enum fg_err fg_quota_uploads(struct fg_db *db, int64_t user, int64_t most);

/** Would `more` bytes be over what this user's uploads and projects may take on disk? FG_ETOOBIG. */
enum fg_err fg_quota_storage(struct fg_db *db, int64_t user, int64_t more);

/** Are as many of this user's tasks running as may? FG_ECONFLICT. (Lending leaves them out by itself: farm/count.) */
enum fg_err fg_quota_running(struct fg_db *db, int64_t user);

#endif
