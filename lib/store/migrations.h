/* migrations: sql/0001_init.sql and what follows, in order; version N is what the state is after the first N. */
#ifndef FG_STORE_MIGRATIONS_H
#define FG_STORE_MIGRATIONS_H

extern const char *const fg_migrations[];
extern const int         fg_migrations_count;

#endif
