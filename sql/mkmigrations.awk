# mkmigrations: sql/NNNN_*.sql as C texts, in the order given.
BEGIN { print "/* Made from the migrations in sql/ by mkmigrations.awk. */\n#include \"store/migrations.h\"\n\nconst char *const fg_migrations[] = {" }
FNR == 1 && NR > 1 { print "\t," }
/^--/ || /^[[:space:]]*$/ { next }
{
	gsub(/\\/, "\\\\")
	gsub(/"/, "\\\"")
	printf "\t\"%s\\n\"\n", $0
}
END { print "};\n\nconst int fg_migrations_count = sizeof(fg_migrations) / sizeof(*fg_migrations);" }
