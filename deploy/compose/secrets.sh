#!/usr/bin/env bash
# Makes the secrets that compose.yml reads, each once: what is there stays. Needs openssl. Usage: secrets.sh [FOLDER]
set -euo pipefail

folder=${1:-$(dirname "${BASH_SOURCE[0]}")/secrets}

# Containers read as users of their own; the folder keeps the machine's other users out.
mkdir -p "$folder"
chmod 0700 "$folder"

# Everything that is random first: where none can be made, nothing is kept.
made=()
for how in -hex -base64 -hex; do
    value=$(openssl rand "$how" 48) && [[ ${#value} -ge 64 ]] || {
        echo "openssl made no random value: install it, or see what it says above; no secret was made" >&2
        exit 1
    }
    made+=("$value")
done

keep() { # keep NAME VALUE
    if [[ ! -s $folder/$1 ]]; then
        printf '%s\n' "$2" >"$folder/$1.part"
        mv -- "$folder/$1.part" "$folder/$1"
        echo "made $1"
    fi
    chmod 0444 "$folder/$1"
}

# Half of a pair would never fit the other half.
if [[ -s $folder/database_url && ! -s $folder/postgres_password ]]; then
    echo "$folder/database_url is there without postgres_password: write the password that it holds into that file" >&2
    exit 1
fi
keep postgres_password "${made[0]}"
keep database_url "postgresql://marketgate:$(<"$folder/postgres_password")@postgres/marketgate"
keep redis_url redis://redis:6379/0
keep secret_key "${made[1]}"
keep grafana_password "${made[2]}"
