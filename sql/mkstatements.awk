# mkstatements: the named statements of sql/*.sql as one C table.
#   awk -v part=header -f mkstatements.awk FILES   an enum value a statement: FG_SQL_TASK_DELIVER
#   awk -v part=source -f mkstatements.awk FILES   their names and texts
# A statement begins with `-- name: noun_verb`; the comment lines after it are prose; the rest, up to the next name, is SQL.
# `-- scan: REASON` stays visible to the test that reads query plans.

function finish() {
	if (name == "") return
	if (part == "source")
		printf "\t[FG_SQL_%s] = { \"%s\", \"%s\",\n%s\t},\n", toupper(name), name, scan, text
	name = ""; text = ""; scan = ""
}

BEGIN {
	print "/* Made from the statements in sql/ by mkstatements.awk. */"
	if (part == "header")
		print "#ifndef FG_STATEMENTS_H\n#define FG_STATEMENTS_H\n\nenum fg_sql {"
	else
		print "#include \"store/sql.h\"\n\nconst struct fg_sql_text fg_sql_texts[FG_SQL_COUNT] = {"
}

FNR == 1 { finish() }

/^-- name: / {
	finish()
	name = $3
	if (part == "header") printf "\tFG_SQL_%s,\n", toupper(name)
	next
}

/^-- scan: / { scan = substr($0, 10); gsub(/["\\]/, "", scan); next }
/^--/ || /^[[:space:]]*$/ { next }

name != "" {
	line = $0
	gsub(/\\/, "\\\\", line)
	gsub(/"/, "\\\"", line)
	text = text "\t\t\"" line "\\n\"\n"
}

END {
	finish()
	print part == "header" ? "\tFG_SQL_COUNT\n};\n\n#endif" : "};"
}
