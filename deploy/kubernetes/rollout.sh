#!/usr/bin/env bash
# Rolls an overlay out: migrations, then gateways and workers pod by pod; where these do not get ready in time,
# both are brought back. Exit code 0: rolled out, 1: as before, 2: wrong arguments.
#   rollout.sh overlays/production [--namespace NAME] [--timeout 300]
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=steps.sh
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

read_arguments "$@"
deployments=(marketgate-gateway marketgate-worker)

declare -A before
for each in "${deployments[@]}"; do
    before[$each]=$(revision "$each")
done

migrate || exit 1
apply 'app.kubernetes.io/component notin (migrations)'
for each in "${deployments[@]}"; do
    if ! ready "$each"; then
        say "$each did not get ready within $seconds s: rolling back"
        for back in "${deployments[@]}"; do
            undo "$back" "${before[$back]}"
        done
        exit 1
    fi
done
say "rolled out: ${deployments[*]}"
