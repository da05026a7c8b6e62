#!/bin/sh
# Install R and the packages of reference_r/engines.dcf: from the system, and those that it does not have from CRAN where
# CRAN can be reached. Without the rights to do so, say what is missing and go on: recorded results stand in for what is
# not there.
set -u
here=$(dirname "$0")
packages="r-base-core $(sed -n 's/^Debian: //p' "$here/engines.dcf" | sort -u | tr '\n' ' ')"
# What packages of CRAN need to be built from source; installed only where CRAN answers.
build_packages=$(sed -n 's/^Build: //p' "$here/engines.dcf" | tr ' ' '\n' | sort -u | tr '\n' ' ')

# sudo may ask for a password, but only where somebody can answer.
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    as_root="none"
    if command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then as_root="sudo"; fi
fi

missing() {
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s ' "$package"
    done
}

# Those that the system has at all: one that it does not have would keep all others from being installed.
known() {
    for package in "$@"; do
        if apt-cache show "$package" >/dev/null 2>&1; then printf '%s ' "$package"; else
            echo "R set-up: $package is not among the system's packages" >&2
        fi
    done
}

install_from_system() {
    wanted=$(missing "$@")
    [ -z "$wanted" ] && return 0
    if ! command -v apt-get >/dev/null 2>&1 || [ "$as_root" = "none" ]; then
        echo "R set-up: not installed, and this user can't install system packages: $wanted"
        echo "R set-up: as root, run: apt-get install --no-install-recommends $wanted"
        return 1
    fi
    log=$(mktemp) || return 1
    $as_root apt-get update -qq >"$log" 2>&1
    # shellcheck disable=SC2086
    wanted=$(known $wanted)
    echo "R set-up: installing $wanted"
    # shellcheck disable=SC2086  # a list of words on purpose
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted >>"$log" 2>&1
    status=$?
    if [ "$status" -ne 0 ]; then
        echo "R set-up: apt-get failed; its last lines:"
        tail -n 5 "$log"
    fi
    rm -f "$log"
    return "$status"
}

# shellcheck disable=SC2086
install_from_system $packages
command -v Rscript >/dev/null 2>&1 || { echo "R set-up: no R; going on with recorded results"; exit 0; }

if ! Rscript --vanilla "$here/install.R" --complete && Rscript --vanilla "$here/install.R" --reachable; then
    # shellcheck disable=SC2086
    install_from_system $build_packages
fi
Rscript --vanilla "$here/install.R"
exit 0
