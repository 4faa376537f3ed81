#!/usr/bin/env bash
# Makes a data folder that PostgreSQL starts from as it was at a chosen second: the newest base backup that was whole by
# then, and the archive up to it. Nothing is overwritten: the folder must be empty or not there.
#   restore.sh '2026-11-29 12:00:00+00' /var/lib/postgresql/data
# Start PostgreSQL on it: it replays, opens for writing, and goes on as a new timeline.
set -euo pipefail

if (($# != 2)); then
    echo "usage: ${0##*/} TIME DATA_FOLDER" >&2
    exit 2
fi
# PostgreSQL reads the archive from its own folder, so the path must be whole.
backups=$(realpath --no-symlinks -- "${BACKUP_DIR:?the folder of backups}")
data=$2
# date takes an empty text, or a letter, for the beginning of today.
if [[ $1 != *[0-9]* ]] || ! second=$(date -u --date "$1" +%s 2>/dev/null); then
    echo "'$1' is no time: write it like '2026-11-29 12:00:00+00'" >&2
    exit 2
fi
instant=$(date -u --date "@$second" +%Y%m%dT%H%M%SZ)
target=$(date -u --date "@$second" '+%Y-%m-%d %H:%M:%S+00')
if ((second > $(date +%s))); then
    echo "$target is still to come: there is nothing of it to restore" >&2
    exit 2
fi

if [[ -d $data && -n $(ls -A -- "$data") ]]; then
    echo "$data is not empty: move it away first" >&2
    exit 1
fi
base=
for each in "$backups"/base/2*; do
    name=${each##*/}
    [[ -d $each && ! $name > $instant ]] && base=$each
done
if [[ -z $base ]]; then
    echo "no base backup was whole by $target: $(find "$backups/base" -mindepth 1 -maxdepth 1 -name '2*' | wc -l) are younger" >&2
    exit 1
fi

mkdir -p -- "$data"
chmod 0700 -- "$data"
tar --extract --gzip --file "$base/base.tar.gz" --directory "$data"
tar --extract --gzip --file "$base/pg_wal.tar.gz" --directory "$data/pg_wal"
pg_verifybackup --quiet --manifest-path "$base/backup_manifest" "$data"

# The path goes through PostgreSQL's settings, then its placeholders, then a shell: quoted for the last of them first.
quoted="'${backups//"'"/"'\\''"}'"
quoted=${quoted//'%'/'%%'}
quoted=${quoted//\\/\\\\}
quoted=${quoted//"'"/"''"}
cat >>"$data/postgresql.auto.conf" <<CONF
restore_command = 'cp $quoted/wal/%f "%p"'
recovery_target_time = '$target'
recovery_target_action = 'promote'
CONF
touch -- "$data/recovery.signal"
echo "$data: $base, then the archive up to $target"
