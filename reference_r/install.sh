#!/bin/sh
# Install R and its packages from the system, then lcmm from CRAN where CRAN can be reached.
# Without the rights to do so, say what is missing and go on: recorded results stand in for what is not there.
set -u
here=$(dirname "$0")
packages="r-base-core r-cran-lme4 r-cran-nlme r-cran-flexmix"
# What lcmm needs to be built from source; installed only where CRAN answers.
build_packages="r-base-dev r-cran-mvtnorm r-cran-survival r-cran-numderiv r-cran-doparallel r-cran-foreach r-cran-rcpp"

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

install_from_system() {
    wanted=$(missing "$@")
    [ -z "$wanted" ] && return 0
    if ! command -v apt-get >/dev/null 2>&1 || [ "$as_root" = "none" ]; then
        echo "R set-up: not installed, and this user can't install system packages: $wanted"
        echo "R set-up: as root, run: apt-get install --no-install-recommends $wanted"
        return 1
    fi
    echo "R set-up: installing $wanted"
    log=$(mktemp) || return 1
    # shellcheck disable=SC2086  # a list of words on purpose
    $as_root env DEBIAN_FRONTEND=noninteractive sh -c "apt-get update -qq && apt-get install -y -qq --no-install-recommends $wanted" >"$log" 2>&1
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

if ! Rscript --vanilla -e 'quit(status = !requireNamespace("lcmm", quietly = TRUE))' >/dev/null 2>&1 &&
    Rscript --vanilla "$here/install.R" --reachable; then
    # shellcheck disable=SC2086
    install_from_system $build_packages
fi
Rscript --vanilla "$here/install.R"
exit 0
