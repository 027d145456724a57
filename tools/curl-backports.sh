#!/bin/sh
# curl-backports.sh - on Debian 12, let apt take libcurl 8.14 from bookworm-backports, nothing else.
#
# Needs root.  Does nothing where the release has libcurl 8.14 already.  It writes two files, which
# may be removed again when nothing here is built any more:
#
#   /etc/apt/sources.list.d/curlew-backports.sources   the suite, from the mirror in use
#   /etc/apt/preferences.d/curlew-backports            source package curl from it as from any
#                                                      suite; everything else stays as it was

set -eu

needed=8.14
source=/etc/apt/sources.list.d/curlew-backports.sources
pin=/etc/apt/preferences.d/curlew-backports
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() { echo "curl-backports: $*" >&2; }

candidate() { apt-cache policy libcurl4 | sed -n 's/^ *Candidate: //p'; }

is_new_enough() {
    version=$(candidate)
    [ -n "$version" ] && [ "$version" != "(none)" ] &&
        dpkg --compare-versions "$version" ge "$needed"
}

# The suite may be among the administrator's own sources already; named twice, apt would complain.
has_suite() {
    apt-get indextargets 'Created-By: Packages' --format '$(CODENAME)' | grep -qx bookworm-backports
}

mirror() {
    apt-get indextargets 'Created-By: Packages' 'Codename: bookworm' 'Component: main' \
        --format '$(REPO_URI)' | head -n 1
}

add_suite() {
    uri=$(mirror)
    [ -n "$uri" ] || { say "no source of bookworm's main packages is configured"; exit 1; }
    {
        echo "# libcurl $needed for Curlew; see $pin."
        echo "Types: deb"
        echo "URIs: $uri"
        echo "Suites: bookworm-backports"
        echo "Components: main"
        [ ! -e "$keyring" ] || echo "Signed-By: $keyring"
    } >"$source"
}

[ "$(. /etc/os-release && echo "${VERSION_CODENAME-}")" = bookworm ] || exit 0
if is_new_enough; then exit 0; fi
has_suite || add_suite
printf '%s\n' "# Curlew needs libcurl $needed: this one source package comes from backports." \
    "Package: src:curl" "Pin: release n=bookworm-backports" "Pin-Priority: 500" >"$pin"
apt-get update -qq -o DPkg::Lock::Timeout=120
is_new_enough || { say "libcurl is $(candidate), and $needed is needed"; exit 1; }
say "libcurl $(candidate) is taken from bookworm-backports"
