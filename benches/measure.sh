#!/bin/sh
# `unfazed analyze` end to end beside the reduction in Python polars, in turns and in both orders.
#
#   benches/measure.sh UNFAZED PYTHON LARGE [ROUNDS]
#
# UNFAZED is the release binary, PYTHON one that has polars, LARGE the directory that benches/campaign.py filled.
# Processor time and peak memory hardly depend on what else the machine does; elapsed time does, so that the load is
# told beside it.
set -eu
unfazed=$1 python=$2 large=$3 rounds=${4:-3}
here=$(dirname "$0")
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

once() {
    load=$(cut -d ' ' -f 1 /proc/loadavg)
    case $1 in
    unfazed) set -- "$1" "$unfazed" analyze "$large" -o "$out/report" --exit-zero ;;
    polars) set -- "$1" "$python" "$here/recording_polars.py" reduce "$large" ;;
    esac
    name=$1
    shift
    /usr/bin/time -o "$out/time" -f '%e s elapsed, %U + %S s processor, %M KiB peak' "$@" >/dev/null 2>&1
    printf '%-8s %s, load %s\n' "$name" "$(tail -n 1 "$out/time")" "$load"
}

for round in $(seq "$rounds"); do
    if [ $((round % 2)) = 1 ]; then
        once unfazed
        once polars
    else
        once polars
        once unfazed
    fi
done
ls -l "$out/report" | awk 'NR > 1 { print $9, $5, "bytes" }'
