#!/usr/bin/env bash
# Takes a base backup into BACKUP_DIR/base while the database serves, verifies it, and lets go of what no backup that
# is kept needs any more. PGHOST, PGPORT, PGUSER, PGPASSFILE say which server. KEEP (7): how many are kept.
set -euo pipefail

backups=${BACKUP_DIR:?the folder of backups}
keep=${KEEP:-7}
[[ $keep =~ ^[1-9][0-9]*$ ]] || { echo "KEEP must be 1 or more, not $keep" >&2; exit 2; }
mkdir -p "$backups/base" "$backups/wal"

# Two at a time would each remove what the other is making.
exec 9>"$backups/lock"
flock --nonblock 9 || { echo "another backup is under way" >&2; exit 1; }
rm -rf -- "$backups"/base/.part.*

label=marketgate-$(date -u +%Y%m%dT%H%M%SZ)-$$
part=$backups/base/.part.$label
pg_basebackup --no-password --pgdata "$part" --format tar --gzip --wal-method stream --checkpoint fast --label "$label"
echo "$label" >"$part/label"

# What cannot be read back is no backup.
for file in "$part"/*.tar.gz; do
    gzip --test -- "$file"
done
sync -- "$part"/*
# It holds from its end on: the next full second is its name.
name=$(date -u --date '+1 second' +%Y%m%dT%H%M%SZ)
mv -- "$part" "$backups/base/$name"
sync -- "$backups/base"

mapfile -t all < <(find "$backups/base" -mindepth 1 -maxdepth 1 -type d -name '2*' | sort)
while ((${#all[@]} > keep)); do
    rm -rf -- "${all[0]}"
    all=("${all[@]:1}")
done
# The lowest place in the log that one of them begins at: after a restore the oldest is not always it.
lowest=$(for each in "${all[@]}"; do
    sed -nE 's|.*"Timeline": ([0-9]+), "Start-LSN": "([0-9A-F]+)/([0-9A-F]+)".*|\1 \2 \3|p' "$each/backup_manifest"
done | while read -r timeline high low; do
    printf '%016X %08X\n' $(((16#$high << 32) | 16#$low)) "$timeline"
done | sort | head -n 1)
segment=$(find "$backups/wal" -type f -regextype posix-extended -regex '.*/[0-9A-F]{24}' -print -quit)
if [[ -n $segment ]]; then
    size=$(stat --format %s "$segment")
    read -r place timeline <<<"$lowest"
    pg_archivecleanup "$backups/wal" "$(printf '%s%s%08X' "$timeline" "${place:0:8}" $((16#${place:8} / size)))"
fi
echo "$backups/base/$name"
