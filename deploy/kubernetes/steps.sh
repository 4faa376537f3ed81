# Steps that rollout.sh and bluegreen.sh share; to be sourced. They use `overlay`, `namespace` and `seconds`.
# shellcheck shell=bash

say() {
    printf '%s\n' "$*" >&2
}

kube() {
    kubectl --namespace "$namespace" "$@"
}

usage() {
    say "usage: ${0##*/} OVERLAY [--namespace NAME] [--timeout SECONDS]"
    exit 2
}

# Reads the command line; the namespace is the overlay's own unless another is given.
read_arguments() {
    overlay='' namespace='' seconds=300
    while (($#)); do
        case $1 in
            --namespace | --timeout)
                [[ -n ${2-} ]] || usage
                if [[ $1 == --namespace ]]; then namespace=$2; else seconds=$2; fi
                shift 2
                ;;
            -*) usage ;;
            *) overlay=$1 && shift ;;
        esac
    done
    [[ -d $overlay && $seconds =~ ^[1-9][0-9]*$ ]] || usage
    if [[ -z $namespace ]]; then
        namespace=$(sed -n 's/^namespace: *//p' "$overlay/kustomization.yaml")
    fi
    [[ -n $namespace ]] || usage
}

# apply SELECTOR: what the overlay holds of it, but never the Service that says which colour is called.
apply() {
    kube apply --kustomize "$overlay" --selector "marketgate/switch!=true,$1"
}

# Everything but gateways and workers, then the migrations to their end. Nothing that serves has changed yet; what fails
# ends it here.
migrate() {
    migrated && return
    say "gateways and workers are as they were before"
    exit 1
}

migrated() {
    local ends deadline=$((SECONDS + seconds))
    # Where the old one stayed, its end would be taken for the new one's.
    kube delete job marketgate-migrations --ignore-not-found || return 1
    apply 'app.kubernetes.io/component notin (gateway,worker)' || return 1
    while true; do
        ends=$(kube get job marketgate-migrations --output 'jsonpath={.status.conditions[?(@.status=="True")].type}') || ends=''
        case " $ends " in
            *' Complete '*) return 0 ;;
            *' Failed '*) say "the migrations failed: kubectl logs job/marketgate-migrations"; return 1 ;;
        esac
        if ((SECONDS >= deadline)); then
            say "the migrations did not end within $seconds s: kubectl logs job/marketgate-migrations"
            return 1
        fi
        sleep "${POLL_S:-2}"
    done
}

# ready NAME: whether all of a Deployment is new and ready in time.
ready() {
    kube rollout status "deployment/$1" --timeout "${seconds}s"
}

# revision NAME: which version of a Deployment is wanted; empty where there is none.
revision() {
    kube get deployment "$1" --ignore-not-found \
        --output 'jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}'
}

# undo NAME REVISION: the Deployment as it was then; nothing where it did not change.
undo() {
    if [[ -z $2 ]]; then
        say "$1 has no version before this one"
    elif [[ $(revision "$1") == "$2" ]]; then
        say "$1 did not change"
    elif kube rollout undo "deployment/$1" --to-revision "$2" && ready "$1"; then
        say "$1 is as it was before"
    else
        say "$1 could not be brought back: kubectl describe deployment/$1"
    fi
}
