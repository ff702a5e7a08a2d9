#!/usr/bin/env bash
# Teaches the built-in namer on phantoms and writes it here. See README.md in this folder.
# usage: make.sh FOLDER    a folder to work in; UNIT_ATLAS names the program
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
atlas=$(realpath "${UNIT_ATLAS:-$here/../../target/release/unit-atlas}")
mkdir -p "${1:?usage: make.sh FOLDER}"
cd "$1"
cp "$here/phantoms.yaml" atlas.yaml
"$atlas" name --teach "$here/phantoms.safetensors" --epochs 11
