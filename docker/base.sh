#!/bin/sh
# base.sh - print the name of the image that ours are built upon.
#
# It is debian:trixie-slim, pulled where that is not here yet.  Where no registry can be reached,
# a Debian of the same release is made with debootstrap (root or sudo, about half a minute) and
# kept as curlew-base:trixie.  BASE names any other image; DEBIAN_MIRROR a mirror for debootstrap.
set -eu

official=debian:trixie-slim
own=curlew-base:trixie
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
root=

say() { echo "base: $*" >&2; }
here() { docker image inspect "$1" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

forget_root() { [ -z "$root" ] || as_root rm -rf "$root"; }

# What debian:trixie-slim leaves out: papers, and what apt has downloaded.
slim() {
    as_root sh -c 'cd "$1" && rm -rf usr/share/doc usr/share/info usr/share/locale usr/share/man \
        var/cache/apt/*.bin var/lib/apt/lists/* var/log/*' sh "$1"
}

sources() {
    echo "deb $mirror trixie main"
    echo "deb $mirror trixie-updates main"
    echo "deb ${mirror%debian}debian-security trixie-security main"
}

# Whoever reaches the packages through a proxy of apt's needs it for debootstrap too.
use_proxy_of_apt() {
    command -v apt-config >/dev/null || return 0
    eval "$(apt-config shell proxy Acquire::http::Proxy)"
    [ -z "${proxy-}" ] || export http_proxy="${http_proxy:-$proxy}"
}

make_own() {
    command -v debootstrap >/dev/null ||
        { say "neither a registry that has $official nor debootstrap is here"; exit 1; }
    root=$(mktemp -d)
    trap forget_root EXIT
    use_proxy_of_apt
    as_root env http_proxy="${http_proxy-}" debootstrap --variant=minbase trixie "$root" "$mirror" >&2
    sources | as_root tee "$root/etc/apt/sources.list" >/dev/null
    slim "$root"
    as_root tar -C "$root" --numeric-owner -c . | docker import - "$own" >&2
}

if [ -n "${BASE-}" ]; then
    echo "$BASE"
elif here $official || { ! here $own && docker pull -q $official >&2; }; then
    echo $official
else
    here $own || make_own
    echo $own
fi
