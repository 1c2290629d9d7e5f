"""The scripts by which shells ask what could stand next."""

from __future__ import annotations

BASH = r"""# Completion of headgate for bash 3.2 and newer: source <(headgate completion bash)
_headgate() {
    local line=${COMP_LINE:0:COMP_POINT} kind word candidate value strip quoted
    COMPREPLY=()
    {
        IFS= read -r kind && IFS= read -r word || return 0
        # readline breaks words at these; what stands before the last one is on the line already
        strip=${word%"${word##*[:=@]}"}
        case $kind in
            files | folders)
                compopt -o filenames 2>/dev/null
                local flag=-f
                [ "$kind" = folders ] && flag=-d
                while IFS= read -r candidate; do
                    COMPREPLY+=("$candidate")
                done < <(compgen "$flag" -- "${word#"$strip"}")
                return 0 ;;
        esac
        while IFS= read -r candidate; do
            value=${candidate%%$'\t'*}
            value=${value#"$strip"}
            case $line in
                *\"* | *\'*) quoted=$value ;;
                *) printf -v quoted %q "$value" ;;
            esac
            COMPREPLY+=("$quoted")
        done
    } < <("${COMP_WORDS[0]}" __complete line "$line" 2>/dev/null)
    # an open end such as tag: goes on without a blank
    if [ ${#COMPREPLY[@]} -eq 1 ] && [[ ${COMPREPLY[0]} == *[:=] ]]; then
        compopt -o nospace 2>/dev/null
    fi
    return 0
}
complete -o nosort -F _headgate headgate 2>/dev/null || complete -F _headgate headgate
"""

ZSH = r"""#compdef headgate
# Completion of headgate for zsh: headgate completion zsh > "${fpath[1]}/_headgate", or
# source <(headgate completion zsh)
_headgate() {
    local kind word candidate
    local -a lines values shown
    lines=("${(@f)$("${(Q)words[1]}" __complete words -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    kind=${lines[1]}
    case $kind in
        files) _files; return ;;
        folders) _files -/; return ;;
    esac
    for candidate in "${(@)lines[3,-1]}"; do
        values+=("${candidate%%$'\t'*}")
        shown+=("${candidate//$'\t'/  -- }")
    done
    (( $#values )) && compadd -l -d shown -a values
}
if [ "$funcstack[1]" = "_headgate" ]; then
    _headgate "$@"
elif (( $+functions[compdef] )); then
    compdef _headgate headgate
fi
"""

FISH = r"""# Completion of headgate for fish: headgate completion fish > ~/.config/fish/completions/headgate.fish
function __headgate_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines ($words[1] __complete words -- $words[2..-1] "$current" 2>/dev/null)
    test (count $lines) -ge 1; or return
    switch $lines[1]
        case files
            __fish_complete_path "$current"
        case folders
            __fish_complete_directories "$current"
        case '*'
            test (count $lines) -ge 3; and printf '%s\n' $lines[3..-1]
    end
end
complete -c headgate -f -a '(__headgate_complete)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
