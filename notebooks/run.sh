#!/usr/bin/env bash
# Runs every notebook from top to bottom; fails when one of them does.
#
#   notebooks/run.sh            into target/notebooks, the committed ones stay as they are
#   notebooks/run.sh --write    and replaces the committed ones
#
# The program is built first, unless UNFAZED names it. VENV names a virtual environment that has
# notebooks/requirements.txt already; without it one is made here.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=${VENV:-.venv-notebooks}
if [ -z "${VENV:-}" ] && ! cmp -s notebooks/requirements.txt "$venv/installed.txt"; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet -r notebooks/requirements.txt
    cp notebooks/requirements.txt "$venv/installed.txt"
fi

out="${CARGO_TARGET_DIR:-target}/notebooks"
mkdir -p "$out"
out=$(realpath "$out")
if [ -z "${UNFAZED:-}" ]; then
    cargo build --quiet --release --locked --bin unfazed
    UNFAZED="$(dirname "$out")/release/unfazed"
fi
UNFAZED=$(realpath "$UNFAZED")
export UNFAZED

for notebook in notebooks/*.ipynb; do
    name=$(basename "$notebook")
    echo "$notebook"
    "$venv/bin/papermill" --kernel python3 --no-progress-bar --log-level WARNING --cwd notebooks "$notebook" "$out/$name"
    "$venv/bin/python" notebooks/clean.py "$out/$name"
    if [ "${1:-}" = --write ]; then
        cp "$out/$name" "$notebook"
    elif ! cmp -s "$out/$name" "$notebook"; then
        echo "  its output differs from the committed one: notebooks/run.sh --write replaces it"
    fi
done
