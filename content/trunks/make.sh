#!/usr/bin/env bash
# Trains the built-in convolutions on phantoms and writes them here. See README.md in this folder.
# usage: make.sh FOLDER    a folder to work in; UNIT_ATLAS names the program
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
atlas=$(realpath "${UNIT_ATLAS:-$here/../../target/release/unit-atlas}")
mkdir -p "${1:?usage: make.sh FOLDER}"
cd "$1"
cp "$here/first.yaml" "$here/second.yaml" "$here/third.yaml" .
"$atlas" --config first.yaml train
"$atlas" --config second.yaml train
"$atlas" --config third.yaml train
"$atlas" --config first.yaml weights trunk alexnet "$here/alexnet.safetensors"
"$atlas" --config third.yaml weights trunk resnet18 "$here/resnet18.safetensors"
