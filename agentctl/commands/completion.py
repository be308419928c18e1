"""agentctl completion

The scripts know nothing: each asks `agentctl _complete` what could stand at the
cursor, so that they never disagree with the program that is installed.
"""

from __future__ import annotations

from ..errors import usage_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from argparse import Namespace

EXAMPLES = """  source <(agentctl completion bash)                     in ~/.bashrc
  source <(agentctl completion zsh)                      in ~/.zshrc, after compinit
  agentctl completion fish | source                      in ~/.config/fish/config.fish"""

BASH = """\
_agentctl() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("${line%%$'\\t'*}")
    done < <(agentctl _complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o bashdefault -o default -F _agentctl agentctl
"""

ZSH = """\
#compdef agentctl
_agentctl() {
    local line
    local -a found
    for line in ${(f)"$(agentctl _complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)"}; do
        found+=("${${line%%$'\\t'*}//:/\\\\:}:${line#*$'\\t'}")
    done
    if (( $#found )); then _describe -V agentctl found; else _files; fi
}
compdef _agentctl agentctl
"""

FISH = """\
function __agentctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found (agentctl _complete -- $words[2..-1] "$current" 2>/dev/null)
    if set -q found[1]
        printf '%s\\n' $found
    else
        __fish_complete_path "$current"
    end
end
complete -c agentctl -f -k -a '(__agentctl_complete)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("shell", metavar="SHELL", help="bash, zsh or fish")


def run(args: Namespace) -> int:
    if args.shell not in SCRIPTS:
        raise usage_error("no completion for `%s`" % args.shell, "one of: %s" % ", ".join(SCRIPTS))
    print(SCRIPTS[args.shell], end="")
    return 0
