#!/bin/sh
# deps.sh build|deb|run|test|browser|bench|docs - install what is missing, by apt-get, into .venv.
#
# Each level holds the ones before it; run and test do without deb; docs stands alone.
# Nothing missing: silent, and done in a blink.  Packages come from Debian alone and none of their
# services is started; a package that this release does not offer is named and skipped, and what
# needs it says so itself.  libcurl is 8.14 or later: Debian 12 has it in its backports.

set -eu
cd "$(dirname "$0")/.."

# "a|b": either will do, a is installed where neither is there.
# Of libcurl's two builds, which exclude each other, the one that docs/dependencies.md recommends.
if grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release; then
    libcurl="libcurl4-openssl-dev|libcurl4-gnutls-dev"
    libcurl_of_deb=libcurl4
else
    libcurl="libcurl4-gnutls-dev|libcurl4-openssl-dev"
    libcurl_of_deb=libcurl3t64-gnutls
fi
build="gcc|clang libc6-dev|libc-dev make|make-guile pkgconf|pkg-config
    $libcurl libfcgi-dev libjansson-dev publicsuffix
    zlib1g-dev libbrotli-dev libzstd-dev"
run="nginx|nginx-light|nginx-full|nginx-extras curl openssl ca-certificates python3 python3-venv"
test="libcriterion-dev apache2-bin lighttpd caddy h2o haproxy libfcgi-bin mandoc debootstrap
    iproute2 clang clang-tidy libclang-rt-dev|libclang-rt-14-dev|libclang-rt-19-dev
    uwsgi-core uwsgi-plugin-python3"
browser="chromium fonts-dejavu-core"
bench="wrk"
of_tests="examples/requirements.txt tests/support/requirements.txt tests/requirements.txt
    python/requirements-test.txt"

curl_needed=8.14
python=/usr/bin/python3                 # the one that python3-venv belongs to
skipped=.venv/skipped-packages          # asked for before, not offered by this release
policy=/usr/sbin/policy-rc.d
mark="by curlew's tools/deps.sh: no service starts"
root=

say() { echo "deps: $*" >&2; }
die() { say "$*"; exit 1; }

# -- Debian packages ------------------------------------------------------------------------

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

any_installed() {
    for name in $(echo "$1" | tr '|' ' '); do
        if installed "$name"; then return 0; fi
    done
    return 1
}

was_skipped() { grep -qsx "$1" "$skipped"; }

# libcurl's headers are there, and so old that the daemon would refuse to start.
has_old_curl() {
    for name in libcurl4-openssl-dev libcurl4-gnutls-dev; do
        if installed "$name"; then
            version=$(dpkg-query -W -f '${Version}' "$name")
            dpkg --compare-versions "$version" lt "$curl_needed" && return 0
        fi
    done
    return 1
}

update_lists() {
    $root apt-get update -qq -o DPkg::Lock::Timeout=120 ||
        say "apt-get update failed; going on with the lists at hand"
}

# What is installed of libcurl, in this or that build: all of it is upgraded, or none.
curl_packages() {
    for name in curl libcurl4-openssl-dev libcurl4-gnutls-dev; do
        if installed "$name"; then echo "$name"; fi
    done
}

# Of the packages named, those to install.
missing() {
    for each in "$@"; do
        first=${each%%|*}
        any_installed "$each" || was_skipped "$first" || echo "$first"
    done
    if has_old_curl; then curl_packages; fi
}

offered() {
    candidate=$(apt-cache policy "$1" | sed -n 's/^ *Candidate: //p')
    [ -n "$candidate" ] && [ "$candidate" != "(none)" ]
}

# Of the packages named, those that this release has; the others are remembered, not asked again.
only_offered() {
    for each in "$@"; do
        if offered "$each"; then
            echo "$each"
        else
            say "$each: not in this release, skipped"
            mkdir -p .venv && echo "$each" >>"$skipped"
        fi
    done
}

become_root() {
    [ "$(id -u)" -ne 0 ] || return 0
    command -v sudo >/dev/null || die "not root, and no sudo; please install: $*"
    say "sudo, to install:" "$@"
    sudo true || die "sudo would not; please install: $*"
    root=sudo
}

# Debian starts a service as it installs it, unless policy-rc.d says no.  One that is there is the
# administrator's and stays as it is.
hold_services() {
    if [ -e "$policy" ]; then return 0; fi
    trap release_services EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    $root sh -c 'set -C && printf "#!/bin/sh\n# %s\nexit 101\n" "$2" >"$1" && chmod 755 "$1"' \
        sh "$policy" "$mark"
}

release_services() {
    if grep -qs "$mark" "$policy"; then $root rm -f "$policy"; fi
}

apt_install() {
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-remove \
        --no-install-recommends -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@" >&2
}

packages() {
    wanted=$(missing "$@")
    if [ -z "$wanted" ]; then return 0; fi
    command -v apt-get >/dev/null || { say "no apt-get here; please see to:" $wanted; return 0; }
    become_root $wanted
    say "installing" $wanted
    update_lists
    $root tools/curl-backports.sh
    wanted=$(only_offered $wanted)
    if [ -z "$wanted" ]; then return 0; fi
    hold_services
    apt_install $wanted
}

# This program alone, into .venv.  Debian 13 has a package of it; in Debian 12 it is a part of
# prometheus, which brings a server that would run from the next boot on, and its page's libraries.
get_promtool() {
    if command -v promtool >/dev/null || [ -x .venv/bin/promtool ]; then return 0; fi
    command -v apt-get >/dev/null || { say "no apt-get here; please see to: promtool"; return 0; }
    say "promtool, into .venv"
    into=$(mktemp -d)
    if ! download_promtool; then
        become_root promtool
        update_lists
        download_promtool || die "apt-get offers neither promtool nor prometheus"
    fi
    dpkg-deb --fsys-tarfile "$into"/prom*.deb | tar -x -C "$into" ./usr/bin/promtool
    install -D "$into/usr/bin/promtool" .venv/bin/promtool
    rm -rf "$into"
}

download_promtool() {
    download promtool || download prometheus
}

download() {
    (cd "$into" && apt-get download -qq -o APT::Sandbox::User=root "$1" 2>/dev/null)
}

# -- Python packages ------------------------------------------------------------------------

# What a stamp must hold: it changes with the requirements and with Python.
fingerprint() { "$python" --version && cksum <"$1"; }

stamp_of() { echo ".venv/$(dirname "$1").stamp"; }

up_to_date() {
    .venv/bin/python -c '' 2>/dev/null || return 1
    for each in "$@"; do
        [ "$(cat "$(stamp_of "$each")" 2>/dev/null)" = "$(fingerprint "$each")" ] || return 1
    done
}

# Requirements are installed together, so that pip chooses versions that suit them all.
venv() {
    [ -x "$python" ] || python=python3
    if up_to_date "$@"; then return 0; fi
    say "Python packages into .venv, from" "$@"
    .venv/bin/python -c '' 2>/dev/null || "$python" -m venv .venv || die "$python makes no .venv"
    .venv/bin/python -m pip install -q --disable-pip-version-check $(printf -- '-r %s ' "$@") >&2
    for each in "$@"; do
        mkdir -p "$(dirname "$(stamp_of "$each")")"
        fingerprint "$each" >"$(stamp_of "$each")"
    done
}

case "${1-}" in
build) packages $build ;;
deb)   packages $build build-essential debhelper $libcurl_of_deb ;;
run)   packages $build $run
       venv examples/requirements.txt ;;
test)  packages $build $run $test
       venv $of_tests
       get_promtool ;;
browser)
       "$0" test
       packages $browser
       venv $of_tests tests/browser/requirements.txt ;;
bench) "$0" test
       packages $bench
       venv $of_tests bench/requirements.txt ;;
docs)  packages mandoc python3 python3-venv
       venv docs/requirements.txt ;;
*)     echo "usage: tools/deps.sh build|deb|run|test|browser|bench|docs" >&2
       exit 2 ;;
esac
