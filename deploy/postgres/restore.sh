#!/usr/bin/env bash
# Makes a data folder that PostgreSQL starts from as it was at a chosen second: the newest base backup that was whole by
# then and lies on the timeline that lived then, and the archive up to it. Nothing is overwritten: the folder must be
# empty or not there.
#   restore.sh '2026-11-29 12:00:00+00' /var/lib/postgresql/data
#   restore.sh latest /var/lib/postgresql/data
# It replays up to that second and fails where the archive does not reach it. Start PostgreSQL on the folder then: it
# opens for writing, and goes on as a new timeline. After an earlier restore, a third argument says which timeline is
# meant where more than one was written to. To be run as whom PostgreSQL runs as.
set -euo pipefail

usage() {
    echo "usage: ${0##*/} TIME|latest DATA_FOLDER [TIMELINE]" >&2
    exit 2
}

(($# == 2 || $# == 3)) || usage
# PostgreSQL reads the archive from its own folder, so the path must be whole.
backups=$(realpath --no-symlinks -- "${BACKUP_DIR:?the folder of backups}")
data=$2
timeline=${3-}
[[ $# == 2 || $timeline =~ ^[1-9][0-9]{0,8}$ ]] || usage

# A date reads much else as a time, such as 12 for noon of today.
pattern='^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})? ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)?$'
if [[ $1 == latest ]]; then
    second=
    target="the end of the archive"
    instant=Z
elif [[ $1 =~ $pattern ]] && second=$(date -u --date "$1" +%s 2>/dev/null); then
    instant=$(date -u --date "@$second" +%Y%m%dT%H%M%SZ)
    target=$(date -u --date "@$second" '+%Y-%m-%d %H:%M:%S+00')
    if ((second > $(date +%s))); then
        echo "$target is still to come: there is nothing of it to restore" >&2
        exit 2
    fi
else
    echo "'$1' is no time: write it like '2026-11-29 12:00:00+00', or latest" >&2
    exit 2
fi
if [[ -d $data && -n $(ls -A -- "$data") ]]; then
    echo "$data is not empty: move it away first" >&2
    exit 1
fi

# --- Which timeline: a restore makes a new one, and leaves that of before as it was

# Since when each is there, and when the last of it was archived.
declare -A since=([1]=0) wrote=()
while read -r name written; do
    case $name in
        *.history) since[$((16#${name%.history}))]=$written ;;
        *) number=$((16#${name:0:8})) && ((written > ${wrote[$number]:-0})) && wrote[$number]=$written ;;
    esac || true
done < <(find "$backups/wal" -type f -regextype posix-extended -regex '.*/([0-9A-F]{24}|[0-9A-F]{8}[.]history)' -printf '%f %Ts\n')

# The youngest of those that were there at that second; or an older one, which alone was still written to.
choose() {
    local each newest=1 living=()
    for each in "${!since[@]}"; do
        ((since[$each] > ${second:-since[$each]})) && continue
        ((since[$each] < since[$newest] || (since[$each] == since[$newest] && each < newest))) || newest=$each
    done
    for each in "${!since[@]}"; do
        ((since[$each] > ${second:-since[$each]})) && continue
        if [[ $each == "$newest" ]]; then
            ((${wrote[$each]:-0} >= ${second:-0})) && living+=("$each")
        else
            ((${wrote[$each]:-0} >= ${second:-since[$newest] + 1})) && living+=("$each")
        fi
    done
    if ((${#living[@]} > 1)); then
        echo "timelines $(printf '%s\n' "${living[@]}" | sort -n | paste -sd ' ') were both written to at $target: say which as TIMELINE" >&2
        exit 1
    fi
    timeline=${living[0]:-$newest}
}

if [[ -z $timeline ]]; then
    choose
elif [[ -z ${since[$timeline]-} ]]; then
    echo "the archive has no timeline $timeline, only $(printf '%s\n' "${!since[@]}" | sort -n | paste -sd ' ')" >&2
    exit 1
fi

# --- Which base backup: one of that timeline, or of what it came from, before it left there

position() { # of a place in the log such as 0/2000028
    echo $(((16#${1%/*} << 32) | 16#${1#*/}))
}

# Up to where it is the timeline's own past.
declare -A left=()
history=$backups/wal/$(printf %08X "$timeline").history
if [[ -e $history ]]; then
    while read -r number place _; do
        [[ $number =~ ^[0-9]+$ ]] && left[$number]=$(position "$place")
    done <"$history"
fi

leads_there() { # leads_there BASE
    local number end found=1
    while read -r number end; do
        found=0
        [[ $number == "$timeline" ]] && continue
        [[ -n ${left[$number]-} ]] && (($(position "$end") <= left[$number])) || return 1
    done < <(sed -nE 's|.*"Timeline": ([0-9]+), "Start-LSN": "[^"]*", "End-LSN": "([0-9A-F/]+)".*|\1 \2|p' "$1/backup_manifest" 2>/dev/null)
    return "$found"
}

base='' younger=0 elsewhere=0
for each in "$backups"/base/2*; do
    [[ -d $each ]] || continue
    if [[ ${each##*/} > $instant ]]; then
        ((++younger))
    elif leads_there "$each"; then
        base=$each
    else
        ((++elsewhere))
    fi
done
if [[ -z $base ]]; then
    echo "no base backup on timeline $timeline was whole by $target: $younger are younger, $elsewhere do not lead there" >&2
    exit 1
fi
# Without a second to reach, PostgreSQL takes a segment that is not there for the end of the archive.
if [[ -z $second ]]; then
    declare -A there=()
    last=-1 whole=1
    while read -r name size; do
        number=$((16#${name:0:8})) place=$((16#${name:8:8} * (0x100000000 / size) + 16#${name:16}))
        [[ $number == "$timeline" ]] || ((place * size < ${left[$number]:-0})) || continue
        there[$place]=yes whole=$size
        ((place <= last)) || last=$place
    done < <(find "$backups/wal" -type f -regextype posix-extended -regex '.*/[0-9A-F]{24}' -printf '%f %s\n')
    end=$(sed -nE 's|.*"Timeline": .*"End-LSN": "([0-9A-F/]+)".*|\1|p' "$base/backup_manifest" | tail -n 1)
    for ((place = $(position "$end") / whole + 1; place <= last; ++place)); do
        [[ -n ${there[$place]-} ]] && continue
        per=$((0x100000000 / whole))
        name=$(printf '%08X%08X%08X' "$timeline" $((place / per)) $((place % per)))
        echo "the archive of timeline $timeline has a gap: $name is not there. Say a second before it" >&2
        exit 1
    done
fi
# PostgreSQL refuses to run as root, and to open what is another's.
if ((EUID == 0)); then
    echo "run this as the user whom PostgreSQL runs as, not as root" >&2
    exit 2
fi
for each in postgres pg_verifybackup; do
    command -v "$each" >/dev/null && continue
    echo "$each is not in PATH: add the folder of the server's programs, such as /usr/lib/postgresql/17/bin" >&2
    exit 2
done

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
{
    echo "restore_command = 'cp $quoted/wal/%f \"%p\"'"
    echo "recovery_target_timeline = '$timeline'"
    # What was restored once holds where that was to end: it would end there again.
    for each in recovery_target recovery_target_lsn recovery_target_name recovery_target_xid; do
        echo "$each = ''"
    done
    echo "recovery_target_time = '${second:+$target}'"
    echo "recovery_target_action = 'promote'"
} >>"$data/postgresql.auto.conf"
touch -- "$data/recovery.signal"
chosen="$data: ${base##*/} on timeline $timeline, then the archive up to $target"
if [[ -z $second ]]; then
    echo "$chosen"
    exit 0
fi

# --- Whether the archive reaches that second: replayed up to it, ended there, opened only by who starts it next

private=$(mktemp -d)
trap 'rm -rf -- "$private"' EXIT
: >"$private/postgresql.conf"
echo "local all all reject" >"$private/pg_hba.conf"
if ! postgres -D "$data" -c "config_file=$private/postgresql.conf" -c "hba_file=$private/pg_hba.conf" \
    -c listen_addresses= -c "unix_socket_directories=$private" -c hot_standby=off -c archive_mode=off -c ssl=off \
    -c shared_preload_libraries= -c logging_collector=off -c log_destination=stderr -c log_min_messages=warning \
    -c lc_messages=C -c recovery_target_action=shutdown >"$private/told" 2>&1 </dev/null ||
    ! grep --quiet 'recovery stopping' "$private/told"; then
    grep -E 'FATAL|PANIC|ERROR' "$private/told" >&2 || cat "$private/told" >&2
    echo "$target was not reached from ${base##*/} on timeline $timeline: remove $data, it must not be used." >&2
    echo "Try an earlier second, latest, or another TIMELINE of $(printf '%s\n' "${!since[@]}" | sort -n | paste -sd ' ')." >&2
    exit 1
fi
echo "$chosen, which it reaches ($(sed -nE '/recovery stopping/{s/.*LOG: +//p;q}' "$private/told"))"
