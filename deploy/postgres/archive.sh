#!/usr/bin/env bash
# PostgreSQL's archive_command: archive.sh %p %f. A segment is in BACKUP_DIR/wal as a whole or not at all.
set -euo pipefail

segment=$1
kept=${BACKUP_DIR:?the folder of backups}/wal/$2

if [[ -e $kept ]]; then
    # PostgreSQL may ask twice after a crash; another segment of that name would be another server's.
    cmp --silent -- "$segment" "$kept" && exit 0
    echo "$kept is there and differs: does another server archive into this folder?" >&2
    exit 1
fi
# When it was written says, at a restore, which timeline lived when.
cp --preserve=timestamps -- "$segment" "$kept.part"
sync -- "$kept.part"
mv -- "$kept.part" "$kept"
sync -- "${kept%/*}"
