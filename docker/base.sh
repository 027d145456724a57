#!/bin/sh
# base.sh [RELEASE] - print the name of the image that ours are built upon; RELEASE is trixie.
#
# It is debian:RELEASE-slim, pulled where that is not here yet.  Where no registry can be reached,
# the same is made with debootstrap (root or sudo, half a minute) and kept as curlew-base:RELEASE.
# BASE names any other image; DEBIAN_MIRROR a mirror for debootstrap.
#
# base.sh RELEASE --archive (as root) - the same as a tar archive, without Docker; INCLUDE names
# packages to install, with commas between them.
set -eu

release=${1:-trixie}
official=debian:$release-slim
own=curlew-base:$release
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

say() { echo "base: $*" >&2; }
here() { docker image inspect "$1" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo --preserve-env=http_proxy,DEBIAN_MIRROR "$@"; fi
}

# What debian:trixie-slim does: papers are left out, apt keeps nothing, no service starts.
slim() {
    rm -rf usr/share/doc usr/share/info usr/share/locale usr/share/man var/log/* \
        var/cache/apt/*.bin var/cache/apt/archives/*.deb var/lib/apt/lists/*
    cat >etc/apt/apt.conf.d/docker <<'END'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Acquire::Languages "none";
END
    printf '#!/bin/sh\nexit 101\n' >usr/sbin/policy-rc.d
    chmod 755 usr/sbin/policy-rc.d
}

sources() {
    cat >etc/apt/sources.list <<END
deb $mirror $release main
deb $mirror $release-updates main
deb ${mirror%debian}debian-security $release-security main
END
}

# Whoever reaches the packages through a proxy of apt's needs it for debootstrap too.
use_proxy_of_apt() {
    command -v apt-config >/dev/null || return 0
    eval "$(apt-config shell proxy Acquire::http::Proxy)"
    [ -z "${proxy-}" ] || export http_proxy="${http_proxy:-$proxy}"
}

# As root: the new Debian, as a tar archive.
archive() {
    root=$(mktemp -d)
    trap 'rm -rf "$root"' EXIT
    use_proxy_of_apt
    PATH=$PATH:/usr/sbin debootstrap --variant=minbase ${INCLUDE:+--include="$INCLUDE"} \
        "$release" "$root" "$mirror" >&2
    (cd "$root" && sources && slim)
    tar -C "$root" --numeric-owner -c .
}

make_own() {
    PATH=$PATH:/usr/sbin command -v debootstrap >/dev/null ||
        { say "neither a registry that has $official nor debootstrap is here"; exit 1; }
    file=$(mktemp)
    trap 'rm -f "$file"' EXIT
    as_root "$0" "$release" --archive >"$file"
    docker import "$file" "$own" >&2
}

if [ "${2-}" = --archive ]; then
    archive
elif [ -n "${BASE-}" ]; then
    echo "$BASE"
elif here $official || { ! here $own && docker pull -q $official >&2; }; then
    echo $official
else
    here $own || make_own
    echo $own
fi
