/* time: integer milliseconds everywhere. */
#ifndef FG_BASE_TIME_H
#define FG_BASE_TIME_H

#include <stdint.h>

int64_t fg_now_ms(void);    /**< Unix time */
int64_t fg_steady_ms(void); /**< never jumps; for measuring */
void    fg_sleep_ms(int ms);

#endif
