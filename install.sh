#!/bin/sh
# Installs agentctl from this checkout; see usage below. POSIX sh; the part that
# edits files is agentctl/installer/, run with the interpreter found here.
set -eu

usage() {
    cat <<'TEXT'
usage: ./install.sh [OPTION...]

Installs `agentctl` and `orch` for you, bound to this checkout and its Python.

  --yes           ask nothing: install what is missing, and the Codex profiles
  --demo          run `agentctl demo` at the end and exit with its code
  --prefix DIR    put the commands in DIR/bin (default: ~/.local)
  --no-codex      leave Codex's configuration alone
  --uninstall     undo all of it; runs are kept, and where they are is said
  --purge         with --uninstall: delete the runs too
  --help          this text

Needs Python 3.9 or newer. tmux and git are installed where they are missing,
with apt-get, dnf, yum, pacman, zypper, apk or brew.
TEXT
}

fail() {
    printf 'install.sh: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2
    exit 1
}

ask() {
    [ "$yes" = no ] || return 0
    [ -t 0 ] || return 1
    printf '%s [Y/n] ' "$1"
    read -r answer || return 1
    case $answer in '' | [Yy] | [Yy]es) return 0 ;; esac
    return 1
}

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9; do
        if "$name" -IS -c 'import sys; sys.exit(sys.version_info < (3, 9))' >/dev/null 2>&1; then
            python=$name
            return
        fi
    done
    fail "no Python 3.9 or newer on the PATH" "install python3 with your package manager, then run ./install.sh again"
}

package_command() {
    if have apt-get; then
        echo "apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $1"
    elif have dnf; then echo "dnf install -y $1"
    elif have yum; then echo "yum install -y $1"
    elif have pacman; then echo "pacman -Sy --noconfirm --needed $1"
    elif have zypper; then echo "zypper --non-interactive install $1"
    elif have apk; then echo "apk add $1"
    elif have brew; then echo "brew install $1"
    fi
}

have() {
    command -v "$1" >/dev/null 2>&1
}

install_packages() {
    missing=
    for name in tmux git; do
        have "$name" || missing="$missing $name"
    done
    [ -n "$missing" ] || return 0
    missing=${missing# }
    command=$(package_command "$missing")
    [ -n "$command" ] || fail "missing: $missing" "install it, then run ./install.sh again"
    ask "Missing: $missing. Run \`$command\`?" || fail "missing: $missing" "run \`$command\` as root, or ./install.sh --yes"
    case $command in
    brew*) sh -c "$command" ;;
    *) if [ "$(id -u)" = 0 ]; then sh -c "$command"
       elif have sudo; then sudo sh -c "$command"
       else fail "missing: $missing, and there is no sudo" "run \`$command\` as root, then ./install.sh again"
       fi ;;
    esac || fail "could not install $missing" "install it by hand, then run ./install.sh again"
    for name in $missing; do
        have "$name" || fail "$name is still not on the PATH"
    done
}

yes=no demo=no action=install codex=yes purge=no prefix=
while [ $# -gt 0 ]; do
    case $1 in
    --yes | -y) yes=yes ;;
    --demo) demo=yes ;;
    --prefix) [ $# -gt 1 ] || { usage >&2; exit 2; }; shift; prefix=$1 ;;
    --prefix=*) prefix=${1#--prefix=} ;;
    --no-codex) codex=no ;;
    --uninstall) action=uninstall ;;
    --purge) purge=yes ;;
    --help | -h) usage; exit 0 ;;
    *) printf 'install.sh: unknown option %s\n' "$1" >&2; usage >&2; exit 2 ;;
    esac
    shift
done
[ -n "${HOME:-}" ] || fail "HOME is not set" "set it: HOME=/home/you ./install.sh"
[ -n "$prefix" ] || prefix=$HOME/.local
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)

find_python
if [ "$action" = install ]; then
    install_packages
fi
"$python" -IBS "$here/agentctl" _install "$action" --prefix "$prefix" --yes "$yes" --codex "$codex" --purge "$purge"
if [ "$action" = install ] && [ "$demo" = yes ]; then
    exec "$prefix/bin/agentctl" demo
fi
