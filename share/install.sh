# shellcheck shell=bash disable=SC2154
# install.sh: for quickstart and runtests to source. Installs what share/packages lists and is not there yet.
#
#   missing_packages KIND…    prints the packages of these kinds that are not installed
#   install_packages KIND…    installs them with apt (as root or with sudo); services that come along are neither started nor enabled
#
# Both expect $root, the folder of the clone, and die MESSAGE.

missing_packages() {
	local kind names package
	while read -r kind names; do
		[[ " $* " == *" $kind "* ]] || continue
		for package in $names; do
			[[ $package != *=* ]] || ! type -P "${package%%=*}" >/dev/null || continue
			package=${package#*=}
			[[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || printf '%s ' "$package"
		done
	done <"$root/share/packages"
}

as_root() {
	if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# Debian starts a service as soon as it is installed. A policy that forbids it stands while we install, unless the host has its own.
services_stay_off() {
	policy=/usr/sbin/policy-rc.d
	[[ -e $policy ]] && { policy=''; return; }
	printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null && as_root chmod 755 "$policy"
}

services_as_before() { # the packages that were installed
	local service
	[[ -z $policy ]] || as_root rm -f "$policy"
	policy=''
	for service in nginx lighttpd; do
		[[ " $* " == *" $service "* ]] || continue
		if [[ -d /run/systemd/system ]]; then
			as_root systemctl disable --now "$service" >/dev/null 2>&1
		else
			as_root service "$service" stop >/dev/null 2>&1
			if type -P systemctl >/dev/null; then as_root systemctl disable "$service" >/dev/null 2>&1
			else as_root rm -f "/etc/systemd/system/multi-user.target.wants/$service.service"; fi # systemd may come later
		fi
	done
	return 0
}

install_packages() {
	local packages status=0 log apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
	packages=$(missing_packages "$@")
	[[ -n $packages ]] || return 0
	type -P apt-get >/dev/null || die "these packages are missing and there is no apt-get to install them: $packages"
	((EUID == 0)) || type -P sudo >/dev/null || die "these packages are missing; install them as root: $packages"
	printf 'Installing: %s\n' "$packages"
	log=$(mktemp)
	services_stay_off
	trap 'services_as_before' EXIT
	{ as_root "${apt[@]}" update && as_root "${apt[@]}" install --no-install-recommends $packages; } >"$log" 2>&1 || status=$?
	services_as_before $packages
	trap - EXIT
	((status == 0)) || { tail -n 20 "$log" >&2; rm -f "$log"; die "apt-get could not install the packages"; }
	rm -f "$log"
}
