#!/usr/bin/env bash
# Makes the secrets that compose.yml reads, each once: what is there stays. Usage: secrets.sh [FOLDER]
set -euo pipefail

folder=${1:-$(dirname "${BASH_SOURCE[0]}")/secrets}

# Containers read as users of their own; the folder keeps the machine's other users out.
mkdir -p "$folder"
chmod 0700 "$folder"

random() {
    openssl rand -hex 32
}

keep() { # keep NAME VALUE
    if [[ ! -s $folder/$1 ]]; then
        printf '%s\n' "$2" >"$folder/$1"
        echo "made $1"
    fi
    chmod 0444 "$folder/$1"
}

# Half of a pair would never fit the other half.
if [[ -s $folder/database_url && ! -s $folder/postgres_password ]]; then
    echo "$folder/database_url is there without postgres_password: write the password that it holds into that file" >&2
    exit 1
fi
keep postgres_password "$(random)"
keep database_url "postgresql://marketgate:$(<"$folder/postgres_password")@postgres/marketgate"
keep redis_url redis://redis:6379/0
keep secret_key "$(openssl rand -base64 48)"
keep grafana_password "$(random)"
