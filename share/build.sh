# shellcheck shell=bash disable=SC2154
# build.sh: for quickstart and runtests to source. Builds the clone in a folder of its own; quick when nothing changed.
#
#   build_in FOLDER [CONFIGURE FLAG]…    expects $root and die MESSAGE

build_in() {
	local folder=$1 log=$1/build.log
	shift
	mkdir -p "$folder" || die "cannot write in $folder"
	if [[ ! -x $root/configure || $root/configure.ac -nt $root/configure || $root/Makefile.am -nt $root/Makefile.in ]]; then
		(cd "$root" && autoreconf -fi) >"$log" 2>&1 || { tail -n 20 "$log" >&2; die "autoreconf failed; see $log"; }
	fi
	if [[ ! -f $folder/Makefile || $root/configure -nt $folder/config.status ]]; then
		(cd "$folder" && "$root/configure" "$@") >"$log" 2>&1 || { tail -n 20 "$log" >&2; die "configure failed; see $log"; }
	fi
	make -C "$folder" -j"$(nproc)" >"$log" 2>&1 || { grep -E 'error|Error' "$log" | head -n 20 >&2; die "the build failed; see $log"; }
}
