#!/usr/bin/env bash
# Makes the idle colour anew from an overlay and sends the callers there once all of it is ready; where it is not, or
# does not stay so for as long as it is watched, or anything fails on the way, the callers stay with or go back to the
# colour before. Exit code 0: switched, 1: as before (or it says what could not be brought back), 2: wrong arguments.
#   bluegreen.sh overlays/bluegreen [--namespace NAME] [--timeout 300]
# WATCH_S (60): how long the new colour is watched after the switch, before the old one is let go.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=steps.sh
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

read_arguments "$@"
watch=${WATCH_S:-60}

called() {
    kube get service marketgate --ignore-not-found --output 'jsonpath={.spec.selector.marketgate/colour}'
}

# switch COLOUR: all new connections go there.
switch() {
    kube patch service marketgate --type merge --patch "{\"spec\":{\"selector\":{\"marketgate/colour\":\"$1\"}}}"
}

# stays COLOUR: whether none of it is lost while it is watched.
stays() {
    local end=$((SECONDS + watch)) numbers
    while ((SECONDS < end)); do
        numbers=$(kube get deployment "marketgate-gateway-$1" \
            --output 'jsonpath={.spec.replicas} {.status.availableReplicas}') || numbers='unknown'
        if [[ $numbers == unknown || ${numbers% *} != "${numbers#* }" ]]; then
            # The autoscaler may have wanted more just now; what does not get ready in time counts.
            ready "marketgate-gateway-$1" || return 1
        fi
        sleep "${POLL_S:-2}"
    done
}

# size COLOUR: how many of it run.
size() {
    kube get deployment "marketgate-gateway-$1" --ignore-not-found --output 'jsonpath={.spec.replicas}'
}

idle_again() {
    kube scale "deployment/marketgate-gateway-$1" --replicas 0
}

# back WHY: callers first, then workers; the new colour is let go only where no caller can be left with it.
back() {
    trap '' INT TERM
    say "$1"
    if [[ -n $moved && -z $first ]] && ! switch "$old"; then
        say "the callers could not be sent back to $old: both colours stay, kubectl describe service/marketgate"
    elif ! idle_again "$new"; then
        say "$new could not be let go: kubectl scale deployment/marketgate-gateway-$new --replicas 0"
    fi
    [[ -z $changed ]] || undo marketgate-worker "$workers"
    exit 1
}

first='' moved='' changed=''
old=$(called)
if [[ -z $old ]]; then
    old=green
    first=yes
fi
new=$([[ $old == blue ]] && echo green || echo blue)
workers=$(revision marketgate-worker)
# As many as now answer, so that the switch finds none of them alone.
count=$(size "$old")
((${count:-0} >= 2)) || count=2

migrate
trap 'back "it was interrupted: all goes back to $old"' INT TERM
# With no replicas the autoscaler lets it be; with some it goes on.
apply "marketgate/colour in ($new)" || back "$new could not be applied: the callers stay with $old"
kube scale "deployment/marketgate-gateway-$new" --replicas "$count" ||
    back "$new could not be scaled: the callers stay with $old"
ready "marketgate-gateway-$new" || back "$new did not get ready within $seconds s: the callers stay with $old"

if [[ -n $first ]]; then
    kube apply --kustomize "$overlay" --selector marketgate/switch=true || back "the Service could not be made"
fi
# Where it fails the cluster may have switched all the same.
moved=yes
switch "$new" || back "the callers could not be sent to $new: they stay with $old"
stays "$new" || back "$new did not stay ready: the callers go back to $old"

changed=yes
apply 'app.kubernetes.io/component in (worker)' || back "the workers could not be applied: all goes back to $old"
ready marketgate-worker || back "the workers did not get ready within $seconds s: all goes back to $old"
trap - INT TERM
if [[ -z $first ]] && ! idle_again "$old"; then
    say "$old still runs: kubectl scale deployment/marketgate-gateway-$old --replicas 0"
fi
say "switched: $old -> $new"
