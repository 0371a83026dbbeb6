#!/usr/bin/env bash
# The worked example for real: a payment service under its supervisor, and kills that are measured.
#
#   demo.sh            Prometheus, 14 kills and 3 controls, about six minutes; then the two short parts
#   demo.sh --quick    the two short parts alone, under a minute:
#                      the embedded collector with 2 kills and 1 control, and a sabotaged service: two
#                      workers, and a supervisor that takes half a minute, so that the abort rule stops the campaign
#
# BIN is where the programs are (target/release); OUT is where everything is written (target/demo).
# Ports: 9178 the service, 9179 Prometheus. Ends only what it has started.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=${BIN:-target/release}; bin=$(cd "$bin" && pwd)
out=${OUT:-target/demo}
case ${1:-} in '' | --quick) ;; *) echo "demo.sh: '$1' is not understood; accepted is --quick" >&2; exit 2 ;; esac
rm -rf "$out"; mkdir -p "$out"; out=$(cd "$out" && pwd)

started=()
# A service's workers end with the service.
cleanup() { for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; done; started=(); }
trap cleanup EXIT
ready() { for _ in $(seq 100); do curl -fs "$1" >/dev/null && return; sleep 0.1; done; echo "demo.sh: $1 does not answer" >&2; exit 4; }
service() {
    "$bin/examples/payments" --listen 127.0.0.1:9178 "$@" 2>"$out/service.log" & started+=($!)
    ready http://127.0.0.1:9178/healthz
}
# One document, three variants of it: nothing but source, numbers and name differ.
document() {
    mkdir -p "$out/$1/runbooks"
    cp "$here/../../../datasets/payment-worker-kill/runbooks/payment-worker.md" "$out/$1/runbooks/"
    cp "$here/policy.yaml" "$out/$1/"
    sed "$2" "$here/experiment.yaml" >"$out/$1/experiment.yaml"
}
collector='s|source: .*|source: {scrape: {targets: ["http://127.0.0.1:9178/metrics"], every: 250ms}}|'
campaign() {
    local expected=$1 name=$2; shift 2
    local code=0
    "$bin/unfazed" check "$out/$name/experiment.yaml" --policy "$out/$name/policy.yaml" | sed -n 1,3p
    (cd "$out/$name" && "$bin/unfazed" run experiment.yaml --policy policy.yaml --live --history "$out/history" -o recording "$@") || code=$?
    [ "$code" = "$expected" ] || { echo "demo.sh: $name ended with exit code $code, $expected was expected" >&2; exit 1; }
}
judged() {
    echo; echo "== $1: the verdict"
    "$bin/unfazed" analyze "$out/$1/recording" -o "$out/$1/report" --history "$out/history" --exit-zero
}

if [ "${1:-}" != --quick ]; then
    echo "== Prometheus watches, 14 kills and 3 controls"
    prometheus --config.file="$here/prometheus.yml" --storage.tsdb.path="$out/prometheus" \
        --web.listen-address=127.0.0.1:9179 2>"$out/prometheus.log" & started+=($!)
    ready http://127.0.0.1:9179/-/ready
    service --rate 250; sleep 8
    document prometheus ''
    campaign 0 prometheus
    judged prometheus
    cleanup
fi

echo; echo "== the embedded collector watches, 2 kills and 1 control"
service --rate 250; sleep 2
document collector "$collector; s|iterations: .*|iterations: {fault: 2, control: 1}|"
campaign 0 collector
judged collector
cleanup

echo; echo "== sabotaged: the supervisor takes half a minute, and the abort rule stops the campaign"
service --restart-delay 30s --workers 2 --rate 170; sleep 2
document sabotaged "$collector; s|iterations: .*|iterations: {fault: 3}|; s|name: payment-worker-demo|name: payment-worker-sabotaged|"
campaign 5 sabotaged --patience 8s
grep -q '"kind": "aborted"' "$out/sabotaged/recording/run.json" || { echo "demo.sh: the abort rule did not fire" >&2; exit 1; }
judged sabotaged
cleanup

echo; echo "== what is remembered, and that nobody changed it"
"$bin/unfazed" history list --history "$out/history"
"$bin/unfazed" history verify --history "$out/history"
for log in "$out"/*/recording/audit.jsonl; do "$bin/unfazed" audit verify "$log"; done
echo; echo "reports: $out/*/report/report.html"
