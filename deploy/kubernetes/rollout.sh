#!/usr/bin/env bash
# Rolls an overlay out: migrations, then gateways and workers pod by pod; where these cannot be applied, do not get ready
# in time, or it is interrupted, both are brought back. Exit code 0: rolled out, 1: as before (or it says what could not
# be brought back), 2: wrong arguments.
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

# back WHY: both as they were before.
back() {
    local each
    trap '' INT TERM
    say "$1: rolling back"
    for each in "${deployments[@]}"; do
        undo "$each" "${before[$each]}"
    done
    exit 1
}

migrate
trap 'back "it was interrupted"' INT TERM
apply 'app.kubernetes.io/component notin (migrations)' || back "the overlay could not be applied"
for each in "${deployments[@]}"; do
    ready "$each" || back "$each did not get ready within $seconds s"
done
say "rolled out: ${deployments[*]}"
